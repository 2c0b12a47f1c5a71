"""auroc, with what areas under curves share: scikit-learn's numbers, ties, errors, bad fields."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from tests.scored import answered, measured, resampled

TRUE = [0, 1, 1, 0, 1, 0, 1, 1]
CHANCE = [0.1, 0.9, 0.8, 0.4, 0.35, 0.6, 0.7, 0.95]


def scored(true, chances, predictions=None):
    """Rows with `label_scores`, from a chance of label 1 or one of each label."""
    chances = [[1 - c, c] if isinstance(c, float) else c for c in chances]
    rows = [{str(i): math.log(c) for i, c in enumerate(row)} for row in chances]
    predictions = predictions or ["0"] * len(true)
    return answered(predictions, list(map(str, true)), "label", label_scores=rows)


def test_reference_vector():
    assert measured("auroc", scored(TRUE, CHANCE)) == pytest.approx(0.8666666666666667, abs=1e-9)


CHANCES = st.sampled_from([0.1, 0.2, 0.25, 0.5, 0.75, 0.99])
BINARY = st.lists(st.tuples(st.integers(0, 1), CHANCES, st.integers(0, 3)), min_size=2)


@settings(max_examples=60)
@given(BINARY)
def test_two_labels_and_resamples(rows):
    true, chances, counts = zip(*rows, strict=True)
    assume(0 < sum(true) < len(true))
    weights = np.array([np.ones(len(true)), counts])
    found = resampled("auroc", scored(true, list(chances)), weights)
    assert found[0] == pytest.approx(roc_auc_score(true, chances), abs=1e-9)
    drawn = set(np.repeat(true, counts))
    expected = roc_auc_score(true, chances, sample_weight=counts) if len(drawn) == 2 else 0.5
    assert found[1] == pytest.approx(expected, abs=1e-9)


MANY = st.lists(
    st.tuples(st.integers(0, 2), st.tuples(*[st.integers(1, 4)] * 3)), min_size=3, max_size=20
)


@settings(max_examples=60)
@given(MANY)
def test_of_three_labels_each_against_the_rest(rows):
    true = [0, 1, 2, *(row[0] for row in rows)]
    parts = [(1, 1, 2), (3, 1, 1), (1, 2, 2), *(row[1] for row in rows)]
    chances = np.array([np.array(part) / sum(part) for part in parts])
    answers = scored(true, chances.tolist())
    expected = roc_auc_score(true, chances, multi_class="ovr", average="macro")
    assert measured("auroc", answers) == pytest.approx(expected, abs=1e-9)
    one = roc_auc_score([t == 1 for t in true], chances[:, 1])
    assert measured("auroc:positive=1", answers) == pytest.approx(one, abs=1e-9)
    assert Metric("auroc", answers).SIGNATURE.endswith("|average:macro_one_vs_rest")
    assert Metric("auroc:positive=1", answers).SIGNATURE.endswith("|positive:1")


def test_scores_need_not_add_up_to_one():
    """Log-probabilities of whole answers are compared between rows by their odds."""
    answers = answered(
        ["a", "b"],
        ["a", "b"],
        "label",
        label_scores=[{"a": -1.0, "b": -2.0}, {"a": -100.0, "b": -99.0}],
    )
    assert measured("auroc", answers) == 1


def test_an_error_scores_lowest_for_the_truth_and_highest_for_the_rest():
    failed = ["0", None, "0", None]
    answers = scored([0, 1, 1, 0], [0.2, 0.9, 0.8, 0.1], failed)
    expected = roc_auc_score([0, 1, 1, 0], [0.2, 0.0, 0.8, 1.0])
    assert measured("auroc", answers) == expected == 0.25


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (None, "id '0001': label_scores must be a log-probability, 0 at most, for each of two"),
        ({"0": 0.7, "1": 0.3}, "label_scores must be"),  # chances without a logarithm
        ({"0": -1.0}, "for each of two labels or more"),
        ({"0": -1.0, "1": math.nan}, "label_scores must be"),
        ({"0": -1.0, "2": -1.0}, "label_scores has no '1'"),
    ],
)
def test_rows_without_scores_are_refused(scores, message):
    answers = scored([0, 1], [0.1, 0.9])
    answers[1].row["label_scores"] = scores
    with pytest.raises(UserError, match=message):
        measured("auroc", answers)


def test_the_field_that_is_absent_is_told_with_what_writes_it():
    with pytest.raises(UserError) as caught:
        measured("auroc", answered(["a", "b"], ["a", "b"], "label"))
    assert str(caught.value) == (
        "id '0000': has no label_scores (a log-probability, 0 at most, for each of two labels or "
        "more)\n"
        "  hint: generate --label-scores writes it"
    )


def test_one_label_has_no_curve():
    with pytest.raises(UserError, match="needs two labels, all references are '1'"):
        measured("auroc", scored([1, 1], [0.5, 0.5]))
    with pytest.raises(UserError, match="no reference is the positive label '3'"):
        measured("auroc:positive=3", scored([0, 1], [0.5, 0.5]))
