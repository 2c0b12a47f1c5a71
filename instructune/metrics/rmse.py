"""Root of the mean squared error of predicted numbers; less is better.

Predictions that are errors are refused: they count as wrong, and how wrong is no number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._numbers import numbers

REFERENCES = ("number",)
HIGHER_IS_BETTER = False
RANGE = (0.0, float("inf"))
SIGNATURE = "references:nearest"


def statistics(answers: Sequence[Answer]) -> np.ndarray:
    """(n, 2): the row's squared error, and 1."""
    true, predicted = numbers(answers)
    return np.column_stack([(true - predicted) ** 2, np.ones(len(true))])


def value(sums: np.ndarray) -> np.ndarray:
    """The root of the mean over rows."""
    return np.sqrt(sums[..., 0] / sums[..., 1])
