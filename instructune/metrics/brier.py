"""Brier score of `label_scores`: half the squared distance to what came true; less is better.

Brier 1950, Mon. Weather Rev. 78(1). Halved, it is 0 to 1 for any number of labels, and for two
labels the squared error of one label's chance; scikit-learn's with `scale_by_half`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._calibration import chances, temperature

REFERENCES = ("label", "text")
HIGHER_IS_BETTER = False
RANGE = (0.0, 1.0)
WORST = 1.0
MEAN_OF_ROWS = True
SIGNATURE = "labels:stripped|chances:softmax_over_row|scale:half|references:met"


def row_score(answer: Answer) -> float:
    """The row's score."""
    return float(statistics([answer])[0, 0])


def statistics(answers: Sequence[Answer]) -> np.ndarray:
    """(n, 2): the row's score, and 1; an error scores 1."""
    found = chances(answers)
    came_true = np.zeros_like(found.scores)
    came_true[np.arange(len(found.true)), found.true] = 1.0
    table = np.ones((len(answers), 2))
    table[found.answered, 0] = ((found.chance - came_true) ** 2).sum(axis=1) / 2
    return table


def value(sums: np.ndarray) -> np.ndarray:
    """The mean over rows."""
    return sums[..., 0] / sums[..., 1]


def details(answers: Sequence[Answer], sums: np.ndarray) -> dict[str, Any]:
    """The temperature that would calibrate."""
    return {"calibration": temperature(chances(answers))}
