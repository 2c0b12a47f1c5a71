"""Mean absolute error of predicted numbers; less is better.

Predictions that are errors are refused: they count as wrong, and how wrong is no number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._numbers import numbers

REFERENCES = ("number",)
DEFAULT_FOR = ("number",)
HIGHER_IS_BETTER = False
RANGE = (0.0, float("inf"))
MEAN_OF_ROWS = True
SIGNATURE = "references:nearest"


def row_score(answer: Answer) -> float:
    """The row's absolute error."""
    return float(statistics([answer])[0, 0])


def statistics(answers: Sequence[Answer]) -> np.ndarray:
    """(n, 2): the row's absolute error, and 1."""
    true, predicted = numbers(answers)
    return np.column_stack([np.abs(true - predicted), np.ones(len(true))])


def value(sums: np.ndarray) -> np.ndarray:
    """The mean over rows."""
    return sums[..., 0] / sums[..., 1]
