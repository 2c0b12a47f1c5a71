"""What distinct-n shares: the n-grams of all answers, and how many differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._ratios import ratio
from instructune.statistics.tables import on_grid
from instructune.texts import words

Valuation = Callable[[np.ndarray], np.ndarray]


def distinct_evaluator(answers: Sequence[Answer], order: int) -> Valuation:
    """Values (b,) of weighted rows (b, n): different n-grams by all n-grams.

    Where some rows are out and all others weigh the same, the n-grams of those in are counted. A
    resample that repeats rows would find fewer than any real sample of its size has, so there
    each n-gram counts by the share of its rows that are drawn. An error has no n-grams.
    """
    rows = [_ngrams(answer, order) for answer in answers]
    totals = np.array([sum(row.values()) for row in rows], dtype=float)
    number: dict[tuple[str, ...], int] = {}
    types = [[number.setdefault(gram, len(number)) for gram in row] for row in rows]
    spread = np.bincount(np.array([t for row in types for t in row], dtype=int))
    shares = on_grid(np.array([np.sort(1 / spread[row]).sum() for row in types]), len(rows))
    # an n-gram of a single row comes and goes with it; only the others must be looked up
    single = np.array([(spread[row] == 1).sum() for row in types], dtype=float)
    common = [[t for t in row if spread[t] > 1] for row in types]
    owners = np.repeat(np.arange(len(rows)), [len(row) for row in common])
    shared = np.array([t for row in common for t in row], dtype=int)

    def counted(present: np.ndarray) -> float:
        met = np.zeros(len(number), dtype=bool)
        met[shared[present[owners]]] = True
        return float(met.sum() + single[present].sum())

    def value(weights: np.ndarray) -> np.ndarray:
        found = ratio((weights * shares).sum(axis=1), (weights * totals).sum(axis=1))
        for i, row in enumerate(weights):
            present = row > 0
            if present.any() and np.ptp(row[present]) == 0:
                whole = totals[present].sum()
                found[i] = counted(present) / whole if whole else 0.0
        return found

    return value


def _ngrams(answer: Answer, order: int) -> Counter[tuple[str, ...]]:
    tokens = words((answer.prediction or "").lower())
    return Counter(zip(*(tokens[i:] for i in range(order)), strict=False))
