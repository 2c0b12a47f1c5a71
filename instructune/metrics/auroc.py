"""Area under the ROC curve of `label_scores`: how often a true label outscores another's.

Of more than two labels the mean over all, each against the rest; a tie counts half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._curves import Options, curve_evaluator, named

REFERENCES = ("label", "text")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
SIGNATURE = "labels:stripped|ties:half"


def signature(answers: Sequence[Answer], options: Options) -> str:
    """Which label is positive, or that all are in turn."""
    return f"{SIGNATURE}|{named(answers, options)}"


def evaluator(answers: Sequence[Answer], options: Options) -> Callable[[np.ndarray], np.ndarray]:
    """Values (b,) of weighted rows (b, n); one half where a resample has but one label."""
    return curve_evaluator(answers, options, _area, undefined=0.5)


def _area(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Pairs that are in order by all pairs; twice their number is whole, and so exact."""
    below = negative.cumsum(axis=1) - negative
    twice = (positive * (2 * below + negative)).sum(axis=1)
    return twice / (2 * positive.sum(axis=1) * negative.sum(axis=1))
