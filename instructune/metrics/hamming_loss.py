"""Share of decisions, a label of a row each, that are wrong; less is better.

As in scikit-learn, where every label of a prediction occurs in a reference; a row that predicts
others decides on these too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._labelsets import label_sets, reference_labels
from instructune.metrics._mean import mean_of_rows

REFERENCES = ("labels",)
HIGHER_IS_BETTER = False
RANGE = (0.0, 1.0)
WORST = 1.0
MEAN_OF_ROWS = True
SIGNATURE = "labels:stripped|classes:references|references:nearest"


def statistics(answers: Sequence[Answer]) -> np.ndarray:
    """(n, 2): the share of the row's decisions that are wrong, and 1."""
    known = set(reference_labels(answers))

    def row_score(answer: Answer) -> float:
        true, predicted = label_sets(answer)
        found = predicted or frozenset()
        return len(true ^ found) / max(1, len(known | found))

    of_rows, _ = mean_of_rows(row_score, WORST)
    return of_rows(answers)


def value(sums: np.ndarray) -> np.ndarray:
    """The mean over rows."""
    return sums[..., 0] / sums[..., 1]
