"""statistics.measures: values for weights of units, by sums and by evaluators of rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from instructune.statistics import measures
from instructune.statistics.measures import RowMeasure, SumMeasure

TABLE = np.array([[1.0, 1.0], [0.0, 1.0], [0.5, 1.0], [4.0, 2.0]])


def mean(sums):
    return sums[..., 0] / sums[..., 1]


@pytest.mark.parametrize("make", [np.array, csr_array])
@pytest.mark.parametrize("most", [0, 1 << 20])
def test_sums(monkeypatch, make, most):
    monkeypatch.setattr(measures, "_DENSE", most)
    measure = SumMeasure(make(TABLE), mean)
    assert measure.n == 4
    weights = np.array([[1.0, 1, 1, 1], [0, 0, 0, 3], [1, 2, 0, 0]])
    assert measure.weighted(weights).tolist() == [5.5 / 5, 2.0, 1 / 3]
    left_out = measure.without(np.array([0, 1, 0, 1]), 2)
    assert left_out.tolist() == [4 / 3, 1.5 / 2]


def ratio(weights):
    """The same mean, of six rows."""
    values = np.array([1.0, 1.0, 0.0, 0.5, 4.0, 4.0])
    sizes = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    return (weights @ values) / (weights @ sizes)


def test_an_evaluator_gets_the_weights_of_the_units_of_its_rows():
    units, shares = np.array([0, 0, 1, 2, 3, 3]), np.array([0.5, 0.5, 1, 1, 0.5, 0.5])
    measure = RowMeasure(ratio, units, shares, 4)
    other = SumMeasure(TABLE, mean)
    assert measure.n == 4
    weights = np.array([[1.0, 1, 1, 1], [0, 0, 0, 3], [1, 2, 0, 0]])
    assert measure.weighted(weights) == pytest.approx(other.weighted(weights))
    groups = np.array([0, 1, 0, 2])
    assert measure.without(groups, 3) == pytest.approx(other.without(groups, 3))
