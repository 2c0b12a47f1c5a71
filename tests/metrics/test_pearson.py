"""pearson: scipy's number, where digits cancel too."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from tests.metrics.test_mae import numbered
from tests.scored import measured, resampled

SMALL = st.lists(st.tuples(*[st.integers(-5, 5)] * 2, st.integers(0, 3)), min_size=2)


def by_scipy(correlation, one, other):
    constant = len(set(one)) < 2 or len(set(other)) < 2
    return 0 if constant else correlation(one, other).statistic


@settings(max_examples=60)
@given(SMALL, st.sampled_from([0.0, 1e6]))
def test_it_is_scipys_of_resamples_too(rows, offset):
    predicted, true, counts = (np.array(column) for column in zip(*rows, strict=True))
    predicted = predicted + offset
    weights = np.array([np.ones(len(true)), counts if any(counts) else np.ones(len(true))])
    found = resampled("pearson", numbered(predicted, true), weights)
    assert found[0] == pytest.approx(by_scipy(pearsonr, predicted, true), abs=1e-9)
    picked = [np.repeat(side, weights[1].astype(int)) for side in (predicted, true)]
    assert found[1] == pytest.approx(by_scipy(pearsonr, *picked), abs=1e-9)


def test_a_constant_tells_nothing():
    assert measured("pearson", numbered([0.1] * 7, [1, 2, 3, 4, 5, 6, 7])) == 0
    assert measured("pearson", numbered([3.0, 1.0], [6.0, 2.0])) == pytest.approx(1)
    assert not math.isnan(measured("pearson", numbered([0.0], [0.0])))
