"""Per-row statistics in, values, intervals and p-values out, to the last bit in any row order.

A metric on one system is a table (n, k) of sufficient statistics, a numpy array or a scipy CSR
array, and a function from weighted column sums (..., k) to values (...). Everything here works on
such pairs, so that mean and corpus-level metrics share one bootstrap and one kind of test. Draws
depend on the seed and on row positions alone: callers sort rows by key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

Table = Any  # (n, k): numpy.ndarray or scipy.sparse.csr_array
Valuation = Callable[[np.ndarray], np.ndarray]  # (..., k) -> (...)

Z95 = NormalDist().inv_cdf(0.975)
EXACT_OUTCOMES = 1 << 16  # permutations enumerated at most; beyond that they are drawn
PERMUTATIONS = 10_000
_CELLS = 1 << 18  # numbers held at once by a chunk of draws: 2 MB, which fits a core's cache
_BOOTSTRAP, _SIGNS, _SWAPS = range(3)  # each kind of draw has its own stream of a seed


class Measure(NamedTuple):
    """A metric on one system: statistics a cluster, and the value of their sums."""

    table: Table
    value: Valuation


class PValue(NamedTuple):
    """A two-sided p-value and how it was found: `exact`, or the number of permutations drawn."""

    p: float
    method: str


def cluster_means(table: Table, starts: np.ndarray) -> Table:
    """Average rows within clusters that begin at `starts`: (n, k) -> (n_clusters, k).

    Samples of one prompt are not independent; with their mean as the unit, neither an interval
    nor a test counts them as if they were (Miller 2024, arXiv:2411.00640, section 2.2).
    """
    sizes = np.diff(starts, append=table.shape[0])
    if (sizes == 1).all():
        return table
    if not _sparse(table):
        return np.add.reduceat(table, starts, axis=0) / sizes[:, None]
    from scipy.sparse import csr_array

    ends = np.append(starts, table.shape[0])
    members = csr_array((np.ones(table.shape[0]), np.arange(table.shape[0]), ends))
    means = csr_array(members @ table)
    means.data /= np.repeat(sizes, np.diff(means.indptr))
    return means


def exact_sums(table: Table) -> np.ndarray:
    """Column sums, correctly rounded (Shewchuk 1997, by `math.fsum`): no order changes a bit."""
    if not _sparse(table):
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
    data = table.data if _sparse(table) else table
    largest = float(np.abs(data).max(initial=0.0)) * weight
    if largest == 0.0:
        return table
    places = 53 - math.frexp(largest)[1]  # as an exponent: the factor itself may overflow
    if not _sparse(table):
        return np.ldexp(np.rint(np.ldexp(table, places)), -places)
    rounded = table.copy()
    rounded.data = np.ldexp(np.rint(np.ldexp(rounded.data, places)), -places)
    return rounded


def _sparse(table: Table) -> bool:
    return hasattr(table, "tocsc")


def default_resamples(n: int) -> int:
    """Bootstrap resamples for n rows: 10,000, or 2,000 where the interval is narrow anyway."""
    return 10_000 if n <= 20_000 else 2_000


def resampled_counts(n: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield chunks (b, n): how often each of n clusters is drawn in a sample with replacement.

    A row is one resample of size n. Memory is bounded, whatever `resamples`.
    """
    random = np.random.default_rng((seed, _BOOTSTRAP))
    for count in _chunks(resamples, n):
        drawn = random.integers(0, n, size=(count, n))
        drawn += n * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n).astype(float)


def _chunks(total: int, width: int) -> Iterator[int]:
    size = max(1, _CELLS // width)
    for start in range(0, total, size):
        yield min(size, total - start)


def bootstrap(measures: Sequence[Measure], resamples: int, seed: int) -> np.ndarray:
    """Values (len(measures), resamples) of all measures over the same draws of clusters.

    Efron 1979, Annals of Statistics 7(1), in the weighted form. One draw serves all measures:
    differences between systems are paired, and metrics can be compared within a resample.
    """
    n = measures[0].table.shape[0]
    grids = [on_grid(measure.table, n) for measure in measures]
    values = np.empty((len(measures), resamples))
    done = 0
    for counts in resampled_counts(n, resamples, seed):
        upto = done + len(counts)
        for row, measure, grid in zip(values, measures, grids, strict=True):
            row[done:upto] = measure.value(counts @ grid)
        done = upto
    return values


def interval(
    draws: np.ndarray, value: float, n: int, bounds: tuple[float, float]
) -> tuple[tuple[float, float], str]:
    """A 95 % interval from bootstrap `draws`, and its method.

    The percentile interval (Efron & Tibshirani 1993, chapter 13); where all draws agree it would
    have no width, which claims a certainty that n clusters cannot give: see `unseen_interval`.
    Where a value has no bound nothing can be said of what was not seen: the interval is the value.
    """
    width = bounds[1] - bounds[0]
    if np.ptp(draws) <= 1e-12 * (width if math.isfinite(width) else abs(value)):
        if not math.isfinite(width):
            return (value, value), "constant"
        return unseen_interval(value, n, bounds), "wilson"
    low, high = np.quantile(draws, [0.025, 0.975])
    return (float(low), float(high)), "percentile"


def unseen_interval(value: float, n: int, bounds: tuple[float, float]) -> tuple[float, float]:
    """A 95 % interval for a mean within `bounds` when all n clusters have the same `value`.

    Clusters that differ were seen 0 times in n, so they make up at most the share h, the upper
    Wilson limit of 0 in n, and each lies within the bounds. For values 0 and 1 this is Wilson's.
    """
    h = wilson_interval(0, n)[1]
    return value - h * (value - bounds[0]), value + h * (bounds[1] - value)


def wilson_interval(successes: float, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson 1927, JASA 22(158), 209-212)."""
    share, z2 = successes / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def sign_flip_test(differences: np.ndarray, seed: int) -> PValue:
    """Paired permutation test of a mean: under no effect each difference may change its sign.

    Fisher 1935, The Design of Experiments, section 21. p is the share of sign patterns whose sum
    is at least as far from 0 as the observed one. Equal differences are enumerated together, so
    many 0/1 pairs stay exact; where patterns must be drawn, p = (1 + hits) / (1 + draws)
    (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9(1)).
    """
    rounded = np.round(differences, 12)  # equal differences, but for the last bits, count as equal
    moved = rounded[rounded != 0]
    if not len(moved):
        return PValue(1.0, "exact")
    sizes, counts = np.unique(np.abs(moved), return_counts=True)
    least = abs(math.fsum(moved)) - 1e-9 * math.fsum(np.abs(moved))
    if math.prod(int(count) + 1 for count in counts) <= EXACT_OUTCOMES:
        sums, chances = np.zeros(1), np.ones(1)
        for size, count in zip(sizes, counts, strict=True):
            steps = size * (2.0 * np.arange(count + 1) - count)
            sums = np.add.outer(sums, steps).ravel()
            chances = np.multiply.outer(chances, _fair_binomial(int(count))).ravel()
        return PValue(min(1.0, math.fsum(chances[np.abs(sums) >= least])), "exact")
    hits = sum(int((abs(sums) >= least).sum()) for sums in _drawn_sums(sizes, counts, seed))
    return PValue((1 + hits) / (1 + PERMUTATIONS), str(PERMUTATIONS))


def _drawn_sums(sizes: np.ndarray, counts: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Sums of all differences with random signs; a size that is frequent is drawn as a whole."""
    random = np.random.default_rng((seed, _SIGNS))
    grid, often = on_grid(sizes, counts.sum()), counts > 16
    many, single = counts[often], np.repeat(grid[~often], counts[~often])
    for draws in _chunks(PERMUTATIONS, len(single) + len(many)):
        heads = random.binomial(many, 0.5, size=(draws, len(many)))
        signs = 2.0 * _coins(random, draws, len(single)) - 1
        yield (2.0 * heads - many) @ grid[often] + signs @ single


def _fair_binomial(n: int) -> np.ndarray:
    """Chances (n + 1,) of 0 to n heads in n tosses; exact up to 1,000, to 1e-9 beyond."""
    if n <= 1000:
        return np.array([math.comb(n, k) / (1 << n) for k in range(n + 1)])
    k = np.arange(1, n + 1)
    return np.exp(np.append(0.0, np.cumsum(np.log((n - k + 1) / k))) - n * math.log(2))


def swap_test(system: Table, baseline: Table, value: Valuation, seed: int) -> PValue:
    """Paired permutation test of any value: under no effect a cluster's two rows may be swapped.

    Approximate randomisation (Noreen 1989; Yeh 2000, COLING), exact where the clusters that differ
    allow enumeration. p is the share of swaps with a difference at least as large as observed.
    """
    both = system.shape[0] * 2
    scaled = on_grid(_stacked(system, baseline), both)
    system, baseline = scaled[: both // 2], scaled[both // 2 :]
    change = baseline - system
    moved = np.flatnonzero(np.asarray(abs(change).sum(axis=1)).ravel())
    if not len(moved):
        return PValue(1.0, "exact")
    change = change[moved]
    first, second = (np.asarray(t.sum(axis=0)).ravel() for t in (system, baseline))
    least = abs(float(value(first) - value(second))) - 1e-12

    def hits(swaps: np.ndarray) -> int:
        shift = swaps @ change
        return int((np.abs(value(first + shift) - value(second - shift)) >= least).sum())

    if 1 << len(moved) <= EXACT_OUTCOMES:
        found = sum(hits(swaps) for swaps in _all_swaps(len(moved)))
        return PValue(found / (1 << len(moved)), "exact")
    found = sum(hits(swaps) for swaps in _drawn_swaps(len(moved), seed))
    return PValue((1 + found) / (1 + PERMUTATIONS), str(PERMUTATIONS))


def _stacked(first: Table, second: Table) -> Table:
    if not _sparse(first):
        return np.concatenate([first, second])
    from scipy.sparse import vstack

    return vstack([first, second], format="csr")


def _drawn_swaps(width: int, seed: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng((seed, _SWAPS))
    for count in _chunks(PERMUTATIONS, width):
        yield _coins(random, count, width)


def _coins(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Fair zeros and ones, eight for each random byte."""
    drawn = np.frombuffer(random.bytes((rows * columns + 7) // 8), dtype=np.uint8)
    return np.unpackbits(drawn, count=rows * columns).reshape(rows, columns).astype(float)


def _all_swaps(width: int) -> Iterator[np.ndarray]:
    bits = np.arange(width)
    start = 0
    for count in _chunks(1 << width, max(1, width)):
        yield ((np.arange(start, start + count)[:, None] >> bits) & 1).astype(float)
        start += count
