"""Tables of sufficient statistics: their exact sums, and units made of rows and of clusters.

A metric on one system is a table (n, k), a numpy array or a scipy CSR array, and a function from
weighted column sums (..., k) to values (...). Mean and corpus-level metrics so share one bootstrap
and one kind of test.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Table = Any  # (n, k): numpy.ndarray or scipy.sparse.csr_array


def is_sparse(table: Table) -> bool:
    """Whether the table is a scipy array; asked without importing scipy."""
    return hasattr(table, "tocsc")


def unit_means(table: Table, starts: np.ndarray) -> Table:
    """Average rows within units that begin at `starts`: (n, k) -> (n_units, k).

    Samples of one prompt are not independent; with their mean as the unit, neither an interval
    nor a test counts them as if they were (Miller 2024, arXiv:2411.00640, section 2.2).
    """
    sizes = np.diff(starts, append=table.shape[0])
    if (sizes == 1).all():
        return table
    if not is_sparse(table):
        return np.add.reduceat(table, starts, axis=0) / sizes[:, None]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    means = group_sums(table, groups, len(sizes))
    means.data /= np.repeat(sizes, np.diff(means.indptr))
    return means


def group_sums(table: Table, groups: np.ndarray, size: int) -> Table:
    """Add up the rows of each group: (n, k) and (n,) group numbers -> (size, k)."""
    if not is_sparse(table):
        return np.column_stack(
            [np.bincount(groups, weights=column, minlength=size) for column in table.T]
        )
    from scipy.sparse import csr_array

    ones, rows = np.ones(len(groups)), np.arange(len(groups))
    return csr_array(csr_array((ones, (groups, rows)), shape=(size, len(groups))) @ table)


def exact_sums(table: Table) -> np.ndarray:
    """Column sums, correctly rounded (Shewchuk 1997, by `math.fsum`): no order changes a bit."""
    if not is_sparse(table):
        return np.array([math.fsum(column) for column in table.T])
    columns = table.tocsc()
    bounds = zip(columns.indptr, columns.indptr[1:], strict=False)
    return np.array([math.fsum(columns.data[start:end]) for start, end in bounds])


def on_grid(table: Table, weight: float) -> Table:
    """Round to multiples of a power of two, fine enough for any use and coarse enough that
    sums with integer weights up to `weight` in all are exact in float64.

    Exact sums do not depend on the order of additions, so neither the thread count nor the
    kernel of a matrix product changes a digit. The error is below 2^-52 of the largest sum.
    """
    data = table.data if is_sparse(table) else table
    largest = float(np.abs(data).max(initial=0.0)) * weight
    if largest == 0.0:
        return table
    places = 53 - math.frexp(largest)[1]  # as an exponent: the factor itself may overflow
    if not is_sparse(table):
        return np.ldexp(np.rint(np.ldexp(table, places)), -places)
    rounded = table.copy()
    rounded.data = np.ldexp(np.rint(np.ldexp(rounded.data, places)), -places)
    return rounded


def stacked(first: Table, second: Table) -> Table:
    """One table above the other."""
    if not is_sparse(first):
        return np.concatenate([first, second])
    from scipy.sparse import vstack

    return vstack([first, second], format="csr")
