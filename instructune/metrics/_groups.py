"""Rows in order of a number, those with the same number together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Groups(NamedTuple):
    """How rows are ordered by a number, and where in that order a new number begins."""

    order: np.ndarray
    starts: np.ndarray

    def sums(self, ordered: np.ndarray) -> np.ndarray:
        """Sums (b, g) a group of rows (b, n) in this order; what is whole is added exactly."""
        if len(self.starts) == len(self.order):
            return ordered
        return np.add.reduceat(ordered, self.starts, axis=1)


def grouped(numbers: np.ndarray) -> Groups:
    """The rows (n,) by their number, ascending; equal ones keep their order."""
    order = np.argsort(numbers, kind="stable")
    ranked = numbers[order]
    return Groups(order, np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1])))
