"""Measures: one metric on one system, as a function of how much each unit weighs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import numpy as np

from instructune.statistics.tables import Table, group_sums, is_sparse, on_grid

Valuation = Callable[[np.ndarray], np.ndarray]  # sums (..., k) -> (...)
Evaluator = Callable[[np.ndarray], np.ndarray]  # weights of rows (b, n) -> (b,)

_DENSE = 1 << 23  # numbers; a product with a dense table up to here beats one with a sparse table


class Measure(Protocol):
    """A metric on n units, each an id or a cluster of ids: values for weights of the units."""

    @property
    def n(self) -> int:
        """How many units there are."""

    def weighted(self, weights: np.ndarray) -> np.ndarray:
        """Values (b,) for whole weights (b, n)."""

    def without(self, groups: np.ndarray, size: int) -> np.ndarray:
        """Values (size,), each without the units of one of the groups (n,)."""


class SumMeasure:
    """A metric by sums of sufficient statistics: a row of the table for each unit."""

    def __init__(self, table: Table, value: Valuation) -> None:
        self.table, self.value = table, value

    @property
    def n(self) -> int:
        """How many units there are."""
        return self.table.shape[0]

    @cached_property
    def grid(self) -> Table:
        """The table on a grid on which sums over a resample of all units are exact."""
        grid = on_grid(self.table, self.n)
        small = is_sparse(grid) and grid.shape[0] * grid.shape[1] <= _DENSE
        return grid.toarray() if small else grid

    def weighted(self, weights: np.ndarray) -> np.ndarray:
        """Values of the weighted sums."""
        return self.value(weights @ self.grid)

    def without(self, groups: np.ndarray, size: int) -> np.ndarray:
        """Values of the sums over all units but those of a group."""
        sums = group_sums(self.grid, groups, size)
        sums = sums.toarray() if is_sparse(sums) else sums
        return self.value(sums.sum(axis=0) - sums)


class RowMeasure:
    """A metric that no sums can carry: an evaluator over weights of rows.

    `units` (rows,) says which unit a row is of, `shares` (rows,) what it weighs in there.
    """

    def __init__(self, evaluator: Evaluator, units: np.ndarray, shares: np.ndarray, n: int) -> None:
        self.evaluator, self.units, self.shares, self._n = evaluator, units, shares, n
        self._alone = bool((shares == 1).all() and np.array_equal(units, np.arange(n)))

    @property
    def n(self) -> int:
        """How many units there are."""
        return self._n

    def weighted(self, weights: np.ndarray) -> np.ndarray:
        """Values for the weights of the units, handed on to their rows."""
        return self.evaluator(weights if self._alone else weights[:, self.units] * self.shares)

    def without(self, groups: np.ndarray, size: int) -> np.ndarray:
        """Values with the weights of one group after the other set to 0."""
        found = np.empty(size)
        step = max(1, (1 << 20) // len(self.units))
        for start in range(0, size, step):
            left_out = np.arange(start, min(start + step, size))[:, None]
            found[start : start + step] = self.weighted((groups != left_out).astype(float))
        return found
