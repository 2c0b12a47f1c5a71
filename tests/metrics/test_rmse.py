"""rmse: scikit-learn's number."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from sklearn.metrics import root_mean_squared_error

from tests.metrics.test_mae import PAIRS, numbered
from tests.scored import measured


@settings(max_examples=50)
@given(PAIRS)
def test_it_is_scikit_learns(rows):
    predicted, true, _ = zip(*rows, strict=True)
    expected = root_mean_squared_error(true, predicted)
    assert measured("rmse", numbered(predicted, true)) == pytest.approx(expected, rel=1e-12)
