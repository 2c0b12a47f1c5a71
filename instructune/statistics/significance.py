"""Paired tests, exact where outcomes can be enumerated, and p-values adjusted for their number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from instructune.statistics.measures import RowMeasure, SumMeasure
from instructune.statistics.resampling import MANY, chunks
from instructune.statistics.tables import on_grid, stacked

EXACT_OUTCOMES = 1 << 16  # permutations enumerated at most; beyond that they are drawn
_CELLS = 1 << 18
_SIGNS, _SWAPS = 1, 2  # each kind of draw has its own stream of a seed; 0 is the bootstrap's


class PValue(NamedTuple):
    """A two-sided p-value and how it was found: `exact`, or the number of permutations drawn."""

    p: float
    method: str


def permutations(n: int) -> int:
    """Permutations drawn for n units: 10,000, or 2,000 for many, which tells p = 0.001 apart."""
    return 10_000 if n <= MANY else 2_000


def mcnemar_test(gained: int, lost: int) -> PValue:
    """The exact test of paired 0/1 scores: with no effect, half of the changes are gains.

    McNemar 1947, Psychometrika 12(2), 153-157, with the binomial distribution. It is the
    permutation test of the mean, with all its outcomes.
    """
    changed, fewer = gained + lost, min(gained, lost)
    if not changed:
        return PValue(1.0, "exact")
    return PValue(min(1.0, 2 * math.fsum(_fair_binomial(changed)[: fewer + 1])), "exact")


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
    drawn = permutations(len(differences))
    found = _drawn_sums(sizes, counts, drawn, seed)
    return _share(sum(int((abs(sums) >= least).sum()) for sums in found), drawn)


def _share(hits: int, drawn: int) -> PValue:
    return PValue((1 + hits) / (1 + drawn), str(drawn))


def _drawn_sums(
    sizes: np.ndarray, counts: np.ndarray, drawn: int, seed: int
) -> Iterator[np.ndarray]:
    """Sums of all differences with random signs; a size that is frequent is drawn as a whole."""
    random = np.random.default_rng((seed, _SIGNS))
    grid, often = on_grid(sizes, counts.sum()), counts > 16
    many, single = counts[often], np.repeat(grid[~often], counts[~often])
    for draws in chunks(drawn, len(single) + len(many), _CELLS):
        heads = random.binomial(many, 0.5, size=(draws, len(many)))
        signs = 2.0 * _coins(random, draws, len(single)) - 1
        yield (2.0 * heads - many) @ grid[often] + signs @ single


def _fair_binomial(n: int) -> np.ndarray:
    """Chances (n + 1,) of 0 to n heads in n tosses; exact up to 1,000, to 1e-9 beyond."""
    if n <= 1000:
        return np.array([math.comb(n, k) / (1 << n) for k in range(n + 1)])
    k = np.arange(1, n + 1)
    return np.exp(np.append(0.0, np.cumsum(np.log((n - k + 1) / k))) - n * math.log(2))


Paired = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # swaps (b, m) -> values of both


def swap_test(system: SumMeasure, baseline: SumMeasure, seed: int) -> PValue:
    """Paired permutation test of any value: under no effect a unit's two answers may be swapped.

    Approximate randomisation (Noreen 1989; Yeh 2000, COLING), exact where the units that differ
    allow enumeration. p is the share of swaps with a difference at least as large as observed; a
    swap on which the metric is undefined counts as one.
    """
    n, value = system.n, system.value
    scaled = on_grid(stacked(system.table, baseline.table), 2 * n)
    first, second = scaled[:n], scaled[n:]
    change = second - first
    moved = np.flatnonzero(np.asarray(abs(change).sum(axis=1)).ravel())
    if not len(moved):
        return PValue(1.0, "exact")
    change = change[moved]
    sums = [np.asarray(table.sum(axis=0)).ravel() for table in (first, second)]

    def paired(swaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shift = swaps @ change
        return value(sums[0] + shift), value(sums[1] - shift)

    return _swapped(paired, len(moved), permutations(n), seed)


def row_swap_test(both: RowMeasure, seed: int) -> PValue:
    """The swap test of a metric that no sums carry.

    `both` has the rows of the system and then those of the baseline, and 2 n units likewise.
    """
    n = both.n // 2

    def paired(swaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (
            both.weighted(np.hstack([1 - swaps, swaps])),
            both.weighted(np.hstack([swaps, 1 - swaps])),
        )

    return _swapped(paired, n, permutations(n), seed)


def _swapped(paired: Paired, width: int, drawn: int, seed: int) -> PValue:
    """Swap the units of `paired` in every way or, of too many ways, in ways drawn."""
    first, second = paired(np.zeros((1, width)))
    least = abs(float(first[0] - second[0])) - 1e-12

    def hits(swaps: np.ndarray) -> int:
        first, second = paired(swaps)
        return int((~(np.abs(first - second) < least)).sum())  # not-a-number is a hit

    if width < 63 and 1 << width <= EXACT_OUTCOMES:
        return PValue(sum(map(hits, _all_swaps(width))) / (1 << width), "exact")
    return _share(sum(map(hits, _drawn_swaps(width, drawn, seed))), drawn)


def _drawn_swaps(width: int, drawn: int, seed: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng((seed, _SWAPS))
    for count in chunks(drawn, width, _CELLS):
        yield _coins(random, count, width)


def _coins(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Fair zeros and ones, eight for each random byte."""
    drawn = np.frombuffer(random.bytes((rows * columns + 7) // 8), dtype=np.uint8)
    return np.unpackbits(drawn, count=rows * columns).reshape(rows, columns).astype(float)


def _all_swaps(width: int) -> Iterator[np.ndarray]:
    bits = np.arange(width)
    start = 0
    for count in chunks(1 << width, max(1, width), _CELLS):
        yield ((np.arange(start, start + count)[:, None] >> bits) & 1).astype(float)
        start += count


ADJUSTMENTS = ("holm", "bh", "none")


def adjusted(p_values: Sequence[float], method: str) -> list[float]:
    """P-values for the many tests of a run: `holm` or `bh`.

    Holm 1979, Scand. J. Statist. 6(2), bounds the chance of any false alarm, whatever the tests
    share; Benjamini & Hochberg 1995, JRSS B 57(1), the expected share of false ones among alarms.
    """
    m, order = len(p_values), sorted(range(len(p_values)), key=lambda i: p_values[i])
    found = [1.0] * m
    if method == "holm":
        reached = 0.0
        for rank, i in enumerate(order):
            reached = max(reached, (m - rank) * p_values[i])
            found[i] = min(1.0, reached)
    else:
        reached = 1.0
        for rank in range(m, 0, -1):
            reached = min(reached, m / rank * p_values[order[rank - 1]])
            found[order[rank - 1]] = reached
    return found
