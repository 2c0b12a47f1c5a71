"""What metrics of regression share: true and predicted numbers, and their moments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer


def numbers(answers: Sequence[Answer]) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted numbers (n,); of several references the nearest is true.

    An error is refused: any number in its place would be better than the worst there is.
    """
    failed = [answer.row["id"] for answer in answers if answer.prediction is None]
    if failed:
        raise UserError(
            f"{len(failed)} of {len(answers)} predictions are errors (id {failed[0]!r} …), "
            "and no number is wrong enough to stand for one",
            hint="generate them again, or use a metric with a lowest score",
        )
    predicted = [float(answer.prediction) for answer in answers]
    true = [
        min(map(float, answer.references), key=lambda number: abs(number - guess))
        for answer, guess in zip(answers, predicted, strict=True)
    ]
    for answer, pair in zip(answers, zip(true, predicted, strict=True), strict=True):
        if not all(map(math.isfinite, pair)):
            raise UserError(f"id {answer.row['id']!r}: not a finite number")
    return np.array(true), np.array(predicted)
