"""Expected calibration error of the top label of `label_scores`; less is better.

How far the chance given to the top label is from how often it is true, over bins of chances
(Naeini et al. 2015, AAAI; Guo et al. 2017, arXiv:1706.04599). A bin of width 1/bins holds its
upper edge, not its lower: (lo, hi]. With `adaptive` each bin holds the same share of the rows
(Nixon et al. 2019, arXiv:1904.01685); rows of one chance are spread over the bins they reach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from instructune.errors import usage
from instructune.evaluating.predictions import Answer
from instructune.metrics._calibration import chances, temperature

REFERENCES = ("label", "text")
HIGHER_IS_BETTER = False
RANGE = (0.0, 1.0)
SIGNATURE = "top_label|edges:(lo,hi]|norm:l1|chances:softmax_over_row|labels:stripped"


@dataclass(frozen=True)
class Options:
    """How many bins, and whether each holds the same share of the rows instead of chances."""

    bins: int = 15
    adaptive: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bins <= 1000:
            raise usage(f"metric 'ece': bins must be from 1 to 1000, got {self.bins}")


class _Rows(NamedTuple):
    """Rows in order of confidence; an error has none and is wrong."""

    order: np.ndarray
    confidence: np.ndarray
    right: np.ndarray
    failed: np.ndarray


class _Bins(NamedTuple):
    """Each (b, bins): weight, and weighted sums of confidence and of hits."""

    weight: np.ndarray
    confidence: np.ndarray
    right: np.ndarray


def evaluator(answers: Sequence[Answer], options: Options) -> Callable[[np.ndarray], np.ndarray]:
    """Values (b,) of weighted rows (b, n); an error is a bin of its own, as wrong as can be."""
    rows = _rows(answers)

    def value(weights: np.ndarray) -> np.ndarray:
        bins = _binned(rows, weights, options)
        gaps = np.abs(bins.confidence - bins.right).sum(axis=1)
        return (gaps + weights[:, rows.failed].sum(axis=1)) / weights.sum(axis=1)

    return value


def details(answers: Sequence[Answer], sums: None, options: Options) -> dict[str, Any]:
    """The bins that hold rows, for a reliability diagram, and the temperature that would mend."""
    rows = _rows(answers)
    bins = _binned(rows, np.ones((1, len(answers))), options)
    filled = np.flatnonzero(bins.weight[0] > 0)
    weight = bins.weight[0][filled]
    told: dict[str, Any] = {"n": weight.round(6).tolist()}
    told["confidence"] = (bins.confidence[0][filled] / weight).tolist()
    told["accuracy"] = (bins.right[0][filled] / weight).tolist()
    if not options.adaptive:
        told["low"] = (filled / options.bins).tolist()
        told["high"] = ((filled + 1) / options.bins).tolist()
    made = [dict(zip(told, values, strict=True)) for values in zip(*told.values(), strict=True)]
    return {"bins": made, "calibration": temperature(chances(answers))}


def _rows(answers: Sequence[Answer]) -> _Rows:
    found = chances(answers)
    places = np.flatnonzero(found.answered)
    order = np.lexsort((found.right, found.confidence))
    return _Rows(
        places[order],
        found.confidence[order],
        found.right[order],
        np.flatnonzero(~found.answered),
    )


def _binned(rows: _Rows, weights: np.ndarray, options: Options) -> _Bins:
    ordered = weights.take(rows.order, axis=1)
    parts = (ordered, ordered * rows.confidence, ordered * rows.right)
    if options.adaptive:
        return _Bins(*_by_share(rows, parts, options.bins))
    # a chance that is an edge, but for its last bits, is that edge
    place = np.ceil(np.round(rows.confidence * options.bins, 9)).astype(int) - 1
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    made = [np.zeros((len(weights), options.bins)) for _ in parts]
    for table, part in zip(made, parts, strict=True):
        table[:, place[starts]] = np.add.reduceat(part, starts, axis=1)
    return _Bins(*made)


def _by_share(rows: _Rows, parts: Sequence[np.ndarray], bins: int) -> list[np.ndarray]:
    """Sums of the parts between equal shares of the weight; equal chances are one mass."""
    ends = np.flatnonzero(np.append(np.diff(rows.confidence) != 0, True))
    totals = [np.insert(part.cumsum(axis=1)[:, ends], 0, 0.0, axis=1) for part in parts]
    made = [np.empty((len(totals[0]), bins)) for _ in parts]
    for i, mass in enumerate(totals[0]):
        edges = np.arange(bins + 1) / bins * mass[-1]
        for table, total in zip(made, totals, strict=True):
            table[i] = np.diff(np.interp(edges, mass, total[i]))
    return made
