"""Matthews correlation coefficient of true and predicted labels, two or more.

Matthews 1975, BBA 405(2); for many classes Gorodkin 2004, Comput. Biol. Chem. 28(5-6). It is 0
where all references or all predictions are one label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._labels import reference_labels, true_and_predicted
from instructune.metrics._ratios import ratio
from instructune.metrics._table import filled
from instructune.statistics.tables import on_grid

REFERENCES = ("label", "text")
HIGHER_IS_BETTER = True
RANGE = (-1.0, 1.0)
SIGNATURE = "labels:stripped|undefined:0|references:met"


def evaluator(answers: Sequence[Answer]) -> Callable[[np.ndarray], np.ndarray]:
    """Values (b,) of weighted rows (b, n).

    Labels that only predictions have count too, and sums over two systems would need the same
    ones; an error is such a label.
    """
    labels = reference_labels(answers)
    pairs = [true_and_predicted(answer) for answer in answers]
    place: dict[str | None, int] = {label: i for i, label in enumerate(labels)}
    for _, predicted in pairs:
        place.setdefault(predicted, len(place))
    size = len(place)
    cells = []  # truths by label, predictions by label, hits
    for row, (true, predicted) in enumerate(pairs):
        cells += [(row, place[true], 1.0), (row, size + place[predicted], 1.0)]
        cells += [(row, 2 * size, 1.0)] if true == predicted else []
    table = filled(cells, (len(pairs), 2 * size + 1))

    def value(weights: np.ndarray) -> np.ndarray:
        if not np.array_equal(weights, np.rint(weights)):
            weights = on_grid(weights, len(pairs))
        sums = weights @ table  # exact, in whatever order it is added up
        truths, predictions, right = sums[:, :size], sums[:, size:-1], sums[:, -1]
        total = truths.sum(axis=1)
        met = (truths * predictions).sum(axis=1)
        spread = [total**2 - (part**2).sum(axis=1) for part in (truths, predictions)]
        return ratio(right * total - met, np.sqrt(spread[0]) * np.sqrt(spread[1]))

    return value
