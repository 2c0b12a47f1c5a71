"""What metrics of regression share: true and predicted numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer

_MOST = 1e150  # squares of more are no numbers any longer


def numbers(answers: Sequence[Answer]) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted numbers (n,); of several references the nearest is true.

    An error counts as wrong everywhere, but how wrong is no number: with any in its place an error
    would be better than a prediction that is further off, and left out it would be no mistake.
    So errors are refused here.
    """
    failed = [answer.row["id"] for answer in answers if answer.prediction is None]
    if failed:
        raise UserError(
            f"{len(failed)} of {len(answers)} predictions are errors (id {failed[0]!r} …): they "
            "count as wrong, and no number is wrong enough to stand for one",
            hint="generate them again, or put the number in their place that you would act on",
        )
    predicted = [_number(answer, answer.prediction) for answer in answers]
    true = [
        min((_number(answer, n) for n in answer.references), key=lambda n: abs(n - guess))
        for answer, guess in zip(answers, predicted, strict=True)
    ]
    return np.array(true), np.array(predicted)


def _number(answer: Answer, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:  # a whole number of 309 digits or more
        number = math.inf
    if not abs(number) <= _MOST:
        raise UserError(f"id {answer.row['id']!r}: not a number from -{_MOST:g} to {_MOST:g}")
    return number
