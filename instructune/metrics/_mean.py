"""What metrics share whose value is the mean of one number a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer


def mean_of_rows(
    row_score: Callable[..., float], worst: float = 0.0
) -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
    """The `statistics` and `value` of the mean of `row_score`; an error scores `worst`.

    Both take the metric's options, where it has any, as `row_score` does.
    """

    def statistics(answers: Sequence[Answer], *options: Any) -> np.ndarray:
        """(n, 2): the row's score, and 1."""
        scores = [worst if a.prediction is None else row_score(a, *options) for a in answers]
        return np.column_stack([np.array(scores, dtype=float), np.ones(len(scores))])

    return statistics, mean_of_table


def mean_of_table(sums: np.ndarray, options: object = None) -> np.ndarray:
    """The first column's sum by the second's."""
    return sums[..., 0] / sums[..., 1]
