"""Share of predictions that name a reference label; surrounding white space does not count."""

from __future__ import annotations

from instructune.evaluating.predictions import Answer
from instructune.metrics._mean import mean_of_rows

REFERENCES = ("label", "text")
DEFAULT_FOR = ("label",)
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
MEAN_OF_ROWS = True
SIGNATURE = "labels:stripped|references:any"


def row_score(answer: Answer) -> float:
    """1 where the predicted label is a reference label."""
    label = answer.prediction.strip()
    return float(any(label == reference.strip() for reference in answer.references))


statistics, value = mean_of_rows(row_score)
