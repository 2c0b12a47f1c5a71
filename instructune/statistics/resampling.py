"""Resampling: one draw of units for all measures, and values with units left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from instructune.statistics.measures import Measure, SumMeasure
from instructune.statistics.tables import is_sparse

GROUPS = 1000  # values of the jackknife for more units than these
ROW_GROUPS = 200  # of a metric that no sums carry, where each value costs a pass over all rows

MANY = 20_000
_DRAWN = 1 << 18  # numbers drawn at once: 2 MB, which fits a core's cache
_CELLS = 1 << 22  # numbers held at once: enough rows for a matrix product to pay
_BOOTSTRAP = 0  # each kind of draw has its own stream of a seed


def default_resamples(n: int) -> int:
    """Bootstrap resamples for n rows: 10,000, or 2,000 where the interval is narrow anyway."""
    return 10_000 if n <= MANY else 2_000


def chunks(total: int, width: int, cells: int) -> Iterator[int]:
    """Cut `total` rows of `width` numbers into chunks of at most `cells` numbers."""
    size = max(1, cells // width)
    for start in range(0, total, size):
        yield min(size, total - start)


def resampled_counts(n: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield chunks (b, n): how often each of n units is drawn in a sample with replacement.

    A row is one resample of size n. Memory is bounded, whatever `resamples`.
    """
    random = np.random.default_rng((seed, _BOOTSTRAP))
    for count in chunks(resamples, n, _CELLS):
        counts, done = np.empty((count, n)), 0
        for part in chunks(count, n, _DRAWN):
            drawn = random.integers(0, n, size=(part, n))
            drawn += n * np.arange(part)[:, None]
            found = np.bincount(drawn.ravel(), minlength=part * n)
            counts[done : done + part] = found.reshape(part, n)
            done += part
        yield counts


def bootstrap(measures: Sequence[Measure], resamples: int, seed: int) -> np.ndarray:
    """Values (len(measures), resamples) of all measures over the same draws of units.

    Efron 1979, Annals of Statistics 7(1), in the weighted form. One draw serves all measures:
    differences between systems are paired, and metrics can be compared within a resample.
    """
    block, places = _joined(measures)
    values, done = np.empty((len(measures), resamples)), 0
    for counts in resampled_counts(measures[0].n, resamples, seed):
        upto = done + len(counts)
        sums = counts @ block
        for row, measure, place in zip(values, measures, places, strict=True):
            if place is None:
                row[done:upto] = measure.weighted(counts)
            else:
                assert isinstance(measure, SumMeasure)
                row[done:upto] = measure.value(sums[:, place])
        done = upto
    return values


def _joined(measures: Sequence[Measure]) -> tuple[np.ndarray, list[slice | None]]:
    """The dense tables side by side, each once, for one product; where each measure's is."""
    tables: list[np.ndarray] = [np.empty((measures[0].n, 0))]
    known: dict[int, slice] = {}
    places: list[slice | None] = []
    width = 0
    for measure in measures:
        if not isinstance(measure, SumMeasure) or is_sparse(measure.grid):
            places.append(None)
            continue
        if id(measure.table) not in known:
            known[id(measure.table)] = slice(width, width + measure.grid.shape[1])
            width += measure.grid.shape[1]
            tables.append(measure.grid)
        places.append(known[id(measure.table)])
    return np.hstack(tables), places


def jackknife(measure: Measure) -> np.ndarray:
    """Values (g,) with one unit left out at a time; above 1,000 units, with a part of them.

    The groups of a large sample tell its standard error and skewness as well (Efron & Tibshirani
    1993, chapter 11); which units make a group depends on their position alone. Of one unit
    nothing is left: not-a-number.
    """
    if measure.n < 2:
        return np.full(measure.n, np.nan)
    groups = GROUPS if isinstance(measure, SumMeasure) else ROW_GROUPS
    size = groups if measure.n > GROUPS else measure.n
    return measure.without(np.arange(measure.n) % size, size)
