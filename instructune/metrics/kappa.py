"""Cohen's kappa: agreement with the references beyond what chance would give.

Cohen 1960, Educ. Psychol. Meas. 20(1); weighted, for labels that are grades: 1968, Psychol. Bull.
70(4). It is 0 where chance alone agrees in everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._labels import reference_labels, true_and_predicted
from instructune.metrics._ratios import ratio

REFERENCES = ("label", "text")
HIGHER_IS_BETTER = True
RANGE = (-1.0, 1.0)
SIGNATURE = "labels:stripped|undefined:0|references:met"
MOST_GRADES = 100


@dataclass(frozen=True)
class Options:
    """`weights`: what a wrong grade costs, by its distance; without, any label is as wrong."""

    weights: Literal["none", "linear", "quadratic"] = "none"


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 2 C + 3): truths and predictions by label; then the cost, 1 where outside, and 1.

    A label outside the references, or an error, is as far from the true one as any can be.
    """
    labels = reference_labels(answers)
    if options.weights != "none":
        labels = _graded(labels)
    place, size = {label: i for i, label in enumerate(labels)}, len(labels)
    costs = _costs(size, options)
    farthest = _farthest(costs)
    table = np.zeros((len(answers), 2 * size + 3))
    table[:, -1] = 1.0
    for row, (true, predicted) in enumerate(map(true_and_predicted, answers)):
        t, p = place[true], place.get(predicted) if predicted is not None else None
        table[row, t] = 1.0
        if p is None:
            table[row, -3:-1] = farthest[t], 1.0
        else:
            table[row, size + p] = 1.0
            table[row, -3] = costs[t, p]
    return table


def _graded(labels: list[str]) -> list[str]:
    try:
        ordered = sorted(labels, key=float)
    except ValueError:
        raise UserError(
            f"weighted kappa is for grades, and not all labels are numbers: {', '.join(labels[:5])}"
        ) from None
    if len(ordered) > MOST_GRADES:
        raise UserError(f"weighted kappa is for at most {MOST_GRADES} grades, found {len(labels)}")
    return ordered


def _costs(size: int, options: Options) -> np.ndarray:
    """What it costs to predict one label for another, (C, C)."""
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size))).astype(float)
    powers: dict[str, Any] = {"linear": 1, "quadratic": 2}
    if options.weights == "none":
        return (distance > 0).astype(float)
    return distance ** powers[options.weights]


def _farthest(costs: np.ndarray) -> np.ndarray:
    """What a label that is none of these costs, by the true one."""
    return np.maximum(costs.max(axis=1), 1.0)


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """1 less the cost by the cost that independent labels of the same frequencies would have."""
    size = (sums.shape[-1] - 3) // 2
    truths, predictions = sums[..., :size], sums[..., size : 2 * size]
    cost, outside, rows = (sums[..., -i] for i in (3, 2, 1))
    costs = _costs(size, options)
    # einsum adds in one order, where a matrix product depends on the number of threads
    expected = (np.einsum("...i,ij->...j", truths, costs) * predictions).sum(axis=-1)
    expected = (expected + (truths * _farthest(costs)).sum(axis=-1) * outside) / rows
    return np.where(expected > 0, 1 - ratio(cost, expected), 0.0)
