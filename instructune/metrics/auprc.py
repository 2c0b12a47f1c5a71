"""Average precision by `label_scores`: the area under the precision-recall curve, by steps.

Of more than two labels the mean over all, each against the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._curves import Options, curve_evaluator, named

REFERENCES = ("label", "text")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
SIGNATURE = "labels:stripped|area:steps"


def signature(answers: Sequence[Answer], options: Options) -> str:
    """Which label is positive, or that all are in turn."""
    return f"{SIGNATURE}|{named(answers, options)}"


def evaluator(answers: Sequence[Answer], options: Options) -> Callable[[np.ndarray], np.ndarray]:
    """Values (b,) of weighted rows (b, n); 0 where a resample has but one label."""
    return curve_evaluator(answers, options, _area, undefined=0.0)


def _area(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """The mean precision at the scores of positive rows, each score with all its rows."""
    hits = positive[:, ::-1].cumsum(axis=1)
    found = hits + negative[:, ::-1].cumsum(axis=1)
    precision = np.divide(hits, found, out=np.zeros_like(hits), where=found > 0)
    return (positive[:, ::-1] * precision).sum(axis=1) / positive.sum(axis=1)
