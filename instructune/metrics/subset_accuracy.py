"""Share of rows whose predicted list of labels is a reference list, in any order."""

from __future__ import annotations

from instructune.evaluating.predictions import Answer
from instructune.metrics._labelsets import label_sets
from instructune.metrics._mean import mean_of_rows

REFERENCES = ("labels",)
DEFAULT_FOR = ("labels",)
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
MEAN_OF_ROWS = True
SIGNATURE = "labels:stripped|references:any"


def row_score(answer: Answer) -> float:
    """1 where both lists hold the same labels."""
    true, predicted = label_sets(answer)
    return float(true == predicted)


statistics, value = mean_of_rows(row_score)
