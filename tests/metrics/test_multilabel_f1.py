"""multilabel_f1, with what metrics over lists share: scikit-learn's numbers, errors, outsiders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.statistics.tables import exact_sums
from tests.scored import answered, measured

TRUE = st.sets(st.sampled_from("abc"), min_size=1).map(sorted)
ROWS = st.lists(
    st.tuples(st.sets(st.sampled_from("abcxy")).map(sorted), TRUE), min_size=1, max_size=8
)


def lists(rows):
    return answered(*zip(*rows, strict=True), kind="labels")


def binary(rows):
    """Both sides as tables of zeros and ones over all labels, and z, which nobody uses."""
    known = MultiLabelBinarizer().fit([labels for row in rows for labels in row] + ["z"])
    return [known.transform([row[side] for row in rows]) for side in (1, 0)]


@settings(max_examples=30)
@given(ROWS)
def test_all_averages_are_scikit_learns(rows):
    answers = lists(rows)
    metric = Metric("multilabel_f1", answers)
    found = metric.details(answers, exact_sums(metric.statistics(answers)))
    for average in ("micro", "macro", "weighted", "samples"):
        sides = [side[:, :-1] if average == "macro" else side for side in binary(rows)]
        if sides[0].shape[1] == 1:  # one column is no list of labels to scikit-learn
            continue
        expected = f1_score(*sides, average=average, zero_division=0)
        value = measured(f"multilabel_f1:average={average}", answers)
        assert value == found[average] == pytest.approx(expected, abs=1e-9)
    labels = sorted({label for _, true in rows for label in true})
    columns = sorted({label for row in rows for side in row for label in side})
    picked = [columns.index(label) for label in labels]
    parts = precision_recall_fscore_support(*binary(rows), labels=picked, zero_division=0)
    lines = [list(line.values()) for line in found["per_class"].values()]
    assert np.array(lines) == pytest.approx(np.array(parts).T, abs=1e-9)


def test_nothing_found_where_nothing_is_true():
    answers = lists([([], []), (["a"], ["a"])])
    assert measured("multilabel_f1:average=samples", answers) == 1
    assert measured("multilabel_f1", answers) == 1


@pytest.mark.parametrize(
    ("average", "expected"),
    [
        ("micro", 4 / 6),
        ("macro", (2 / 3 + 1) / 3),
        ("weighted", (2 * 2 / 3 + 1) / 3),
        ("samples", 1 / 3),
    ],
)
def test_an_error_finds_nothing_and_is_wrong_where_nothing_was_to_be_found(average, expected):
    # a: one of two found, so 2/3; b: found; the error where nothing is true is a third label
    answers = lists([(["a", "b"], ["a", "b"]), (None, ["a"]), (None, [])])
    assert measured(f"multilabel_f1:average={average}", answers) == pytest.approx(expected)


def test_of_several_references_the_nearest_is_true():
    answers = lists([([" a ", "b"], ["a"])])
    answers = [answers[0]._replace(references=[["c"], ["a", "b"], ["a"]])]
    assert measured("multilabel_f1", answers) == 1


def test_what_is_no_list_of_labels():
    with pytest.raises(UserError, match="id '0000': labels must be strings"):
        measured("multilabel_f1", lists([([1], ["a"])]))
    with pytest.raises(UserError, match="found 1001 in the references"):
        measured("multilabel_f1", lists([([], [str(i)]) for i in range(1001)]))
