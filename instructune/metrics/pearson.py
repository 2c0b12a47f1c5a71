"""Pearson's correlation of true and predicted numbers; 0 where either side is constant.

Predictions that are errors are refused: they count as wrong, and how wrong is no number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._correlation import correlation
from instructune.metrics._numbers import numbers

REFERENCES = ("number",)
DEFAULT_FOR = ("number",)
HIGHER_IS_BETTER = True
RANGE = (-1.0, 1.0)
SIGNATURE = "references:nearest|undefined:0"


def evaluator(answers: Sequence[Answer]) -> Callable[[np.ndarray], np.ndarray]:
    """Values (b,) of weighted rows (b, n).

    Sums of squares would do, but lose all digits where numbers are large and lie close together.
    """
    true, predicted = numbers(answers)
    return lambda weights: correlation(weights, true, predicted)
