"""What metrics share whose value is the mean of one number a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from instructune.predictions import Answer


def mean_of_rows(
    row_score: Callable[[Answer], float],
) -> tuple[Callable[[Sequence[Answer]], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """The `statistics` and `value` of the mean of `row_score`; an error scores 0."""

    def statistics(answers: Sequence[Answer]) -> np.ndarray:
        """(n, 2): the row's score, and 1."""
        scores = [0.0 if a.prediction is None else row_score(a) for a in answers]
        return np.column_stack([np.array(scores, dtype=float), np.ones(len(scores))])

    def value(sums: np.ndarray) -> np.ndarray:
        """Sum of scores by number of rows."""
        return sums[..., 0] / sums[..., 1]

    return statistics, value
