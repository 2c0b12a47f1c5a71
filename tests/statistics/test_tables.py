"""statistics.tables: sums that are exact in any order, units and groups."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from instructune.statistics import tables

numbers = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)


@given(st.lists(numbers, min_size=1, max_size=50), st.randoms())
def test_exact_sums_do_not_depend_on_order(values, random):
    shuffled = random.sample(values, len(values))
    total = float(sum(map(Fraction, values)))
    for column in (values, shuffled):
        dense = np.array(column)[:, None]
        assert tables.exact_sums(dense).tolist() == [total]
        assert tables.exact_sums(csr_array(dense)).tolist() == [total]


@given(st.lists(numbers, min_size=1, max_size=30), st.integers(1, 1000))
def test_on_a_grid_weighted_sums_are_exact_in_any_order(values, weight):
    table = np.array(values)[:, None]
    grid = tables.on_grid(table, weight * len(values))
    exact = sum(Fraction(v) * weight for v in grid[:, 0])
    for order in (grid[:, 0], grid[::-1, 0], np.sort(grid[:, 0])):
        total = 0.0
        for value in order:
            total += weight * value
        assert Fraction(total) == exact
    assert np.abs(grid - table).max() <= np.abs(table).max() * weight * len(values) * 2.0**-52


def test_a_grid_leaves_whole_numbers_alone():
    table = np.array([[1.0, 0.0], [3.0, 1e6]])
    assert tables.on_grid(table, 1_000_000).tolist() == table.tolist()
    assert tables.on_grid(np.zeros((2, 1)), 5).tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("make", [np.array, csr_array])
def test_unit_means_average_samples_within_an_id(make):
    table = make(np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0]]))
    found = tables.unit_means(table, np.array([0, 3]))
    assert getattr(found, "toarray", lambda: found)().tolist() == [[1 / 3, 1.0], [1.0, 1.0]]
    assert tables.unit_means(table, np.arange(4)) is table


@pytest.mark.parametrize("make", [np.array, csr_array])
def test_group_sums(make):
    table = make(np.array([[1.0, 1.0], [2.0, 1.0], [4.0, 1.0]]))
    found = tables.group_sums(table, np.array([2, 0, 2]), 3)
    assert getattr(found, "toarray", lambda: found)().tolist() == [[2, 1], [0, 0], [5, 2]]


@pytest.mark.parametrize("make", [np.array, csr_array])
def test_stacked(make):
    found = tables.stacked(make(np.eye(2)), make(np.ones((1, 2))))
    assert getattr(found, "toarray", lambda: found)().tolist() == [[1, 0], [0, 1], [1, 1]]
    assert tables.is_sparse(found) == (make is csr_array)
