"""brier: scikit-learn's numbers, rows of several references, errors, the temperature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from tests.scored import answered, measured

TRUE = [0, 1, 1, 0, 1, 0, 1, 1]
CHANCE = [0.1, 0.9, 0.8, 0.4, 0.35, 0.6, 0.7, 0.95]
PARTS = st.tuples(*[st.integers(1, 9)] * 3)


def scored(true, chances, predictions=None):
    """Rows with `label_scores`, from a chance of label 1 or one of each label."""
    chances = [[1 - c, c] if isinstance(c, float) else c for c in chances]
    rows = [{str(i): math.log(c) for i, c in enumerate(row)} for row in chances]
    return answered(predictions or ["0"] * len(true), list(map(str, true)), label_scores=rows)


def test_reference_vector():
    assert measured("brier", scored(TRUE, CHANCE)) == pytest.approx(0.136875, abs=1e-9)
    assert brier_score_loss(TRUE, CHANCE) == pytest.approx(0.136875, abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2), PARTS), min_size=1, max_size=20))
def test_of_three_labels(rows):
    true = [row[0] for row in rows]
    chances = np.array([np.array(row[1]) / sum(row[1]) for row in rows])
    expected = brier_score_loss(true, chances, labels=[0, 1, 2], scale_by_half=True)
    assert measured("brier", scored(true, chances.tolist())) == pytest.approx(expected, abs=1e-9)


def test_scores_of_a_row_are_made_to_add_up():
    answers = answered(["a"], ["a"], label_scores=[{"a": -700.0, "b": -700.0 - math.log(3)}])
    assert measured("brier", answers) == pytest.approx(0.25**2, abs=1e-12)


def test_an_error_is_as_wrong_as_can_be():
    assert measured("brier", scored([0, 1], [0.5, 0.5], ["0", None])) == 0.625
    assert Metric("brier").row_score(scored([0], [0.5])[0]) == 0.25


def test_of_several_references_the_one_that_was_met():
    answers = answered(["b"], [["a", "b"]], label_scores=[{"a": -9.0, "b": 0.0, "c": -9.0}])
    chance = 1 / (1 + 2 * math.exp(-9))
    expected = ((1 - chance) ** 2 + 2 * (math.exp(-9) * chance) ** 2) / 2
    assert measured("brier", answers) == pytest.approx(expected, rel=1e-9)


def calibration(answers):
    return Metric("brier", answers).details(answers, None)["calibration"]


def test_the_temperature_has_the_least_log_loss():
    true, scores = [1, 1, 1, 0], [3.0, 3.0, 3.0, 3.0]
    rows = [{"0": -9.0, "1": score - 9} for score in scores]  # only differences count
    found = calibration(answered(["1"] * 4, list(map(str, true)), label_scores=rows))
    # three of four are right, so the chance should be 3/4, and its log-odds are log 3
    assert found["temperature"] == pytest.approx(3 / math.log(3), abs=1e-9)
    assert found["nll_calibrated"] == pytest.approx(log_loss(true, [0.75] * 4), abs=1e-9)
    sure = 1 / (1 + math.exp(-3))
    assert found["nll"] == pytest.approx(log_loss(true, [sure] * 4), abs=1e-9)


@pytest.mark.parametrize("true", [[1, 1], [0, 0]])
def test_no_temperature_mends_what_is_all_right_or_all_wrong(true):
    found = calibration(scored(true, [0.9, 0.8]))
    assert found["temperature"] is found["nll_calibrated"] is None


def test_a_row_without_scores_of_its_reference_is_refused():
    answers = answered(["a"], ["z"], label_scores=[{"a": 0.0, "b": -1.0}])
    with pytest.raises(UserError, match="id '0000': label_scores has no 'z'"):
        measured("brier", answers)
    with pytest.raises(UserError, match="has no label_scores"):
        measured("brier", answered(["a"], ["a"]))
