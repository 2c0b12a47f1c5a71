"""One number a row, to tell good answers from bad: by a metric of rows, or right or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from instructune.evaluating import comparing
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer


class RowScores(NamedTuple):
    """Scores of a system's rows, turned so that more is better, and what they are by.

    `worst` and `best` are what no row can be below and above, and may be infinite; `sign` is -1
    where the metric's own scores are better when they are less.
    """

    metric: str
    values: list[float]
    worst: float
    best: float
    sign: int = 1

    def told(self, value: float) -> float:
        """The score as the metric has it."""
        return abs(value) if value == 0 else self.sign * value


EXACT = "equal to a reference"


def row_scores(names: Sequence[str], answers: Sequence[Answer]) -> RowScores | None:
    """By the first metric that scores rows; if none does, 1 where a reference is met.

    None where there is nothing to tell rows apart by.
    """
    for name in names:
        if hasattr(metric := Metric(name), "row_score"):
            return _by_metric(name, metric, answers)
    if not all(answer.references for answer in answers):
        return None
    values = [float(comparing.is_right(a.prediction, a.references)) for a in answers]
    return RowScores(EXACT, values, 0.0, 1.0)


def _by_metric(name: str, metric: Metric, answers: Sequence[Answer]) -> RowScores:
    lost = getattr(metric, "WORST", 0.0)
    found = [lost if a.prediction is None else metric.row_score(a) for a in answers]
    low, high = metric.RANGE
    if metric.HIGHER_IS_BETTER:
        return RowScores(name, found, low, high)
    return RowScores(name, [0.0 - score for score in found], -high, -low, -1)
