"""Spearman's correlation of the ranks of true and predicted numbers; 0 where a side is constant.

Predictions that are errors are refused: they count as wrong, and how wrong is no number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._correlation import correlation
from instructune.metrics._groups import grouped
from instructune.metrics._numbers import numbers

REFERENCES = ("number",)
HIGHER_IS_BETTER = True
RANGE = (-1.0, 1.0)
SIGNATURE = "ties:mean_rank|references:nearest|undefined:0"


def evaluator(answers: Sequence[Answer]) -> Callable[[np.ndarray], np.ndarray]:
    """Values (b,) of weighted rows (b, n), which are ranked anew in each resample."""
    ranked = [_ranker(side) for side in numbers(answers)]
    return lambda weights: correlation(weights, *(ranks(weights) for ranks in ranked))


def _ranker(numbers: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """From weights (b, n) to mean ranks (b, n), all less by one half.

    The rank of a row is the weight of what is smaller, and half of what is equal.
    """
    groups = grouped(numbers)
    _, places = np.unique(numbers, return_inverse=True)

    def ranks(weights: np.ndarray) -> np.ndarray:
        equal = groups.sums(weights.take(groups.order, axis=1))
        return (equal.cumsum(axis=1) - equal / 2).take(places, axis=1)

    return ranks
