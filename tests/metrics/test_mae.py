"""mae, with what metrics of numbers share: scikit-learn's number, the nearest reference, errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from tests.scored import answered, measured

NUMBERS = st.one_of(st.integers(-5, 5), st.floats(-1e6, 1e6))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 3)), min_size=2)


def numbered(predicted, true):
    return answered(predicted, true, "number")


@settings(max_examples=50)
@given(PAIRS)
def test_it_is_scikit_learns(rows):
    predicted, true, _ = zip(*rows, strict=True)
    expected = mean_absolute_error(true, predicted)
    assert measured("mae", numbered(predicted, true)) == pytest.approx(expected, rel=1e-12)


def test_the_nearest_of_several_references():
    answers = numbered([2, 5], [[0, 3.5], 4])
    assert measured("mae", answers) == 1.25
    assert Metric("mae").row_score(answers[0]) == 1.5


@pytest.mark.parametrize("name", ["mae", "rmse", "pearson", "spearman"])
def test_no_number_stands_for_an_error(name):
    with pytest.raises(UserError, match="1 of 2 predictions are errors .id '0001' ….: they count"):
        measured(name, numbered([1, None], [1, 2]))


@pytest.mark.parametrize("name", ["mae", "rmse", "pearson", "spearman"])
@pytest.mark.parametrize("huge", [np.inf, np.nan, 1e200, 10**400])
def test_numbers_that_cannot_be_squared_are_refused(name, huge):
    for rows in (([huge, 1.0], [1, 2]), ([1.0, 1.0], [huge, 2])):
        with pytest.raises(UserError, match="id '0000': not a number from -1e.150 to 1e.150"):
            measured(name, numbered(*rows))
    assert np.isfinite(measured(name, numbered([1e150, -1e150], [-1e150, 1e150])))
