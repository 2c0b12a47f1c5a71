"""Share of predictions equal to a reference; case counts, surrounding white space does not."""

from __future__ import annotations

from instructune.evaluating.predictions import Answer
from instructune.metrics._mean import mean_of_rows

REFERENCES = ("text", "label")
DEFAULT_FOR = ("text",)
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
MEAN_OF_ROWS = True
SIGNATURE = "case:kept|space:stripped|references:any"


def row_score(answer: Answer) -> float:
    """1 where the prediction equals a reference."""
    prediction = answer.prediction.strip()
    return float(any(prediction == reference.strip() for reference in answer.references))


statistics, value = mean_of_rows(row_score)
