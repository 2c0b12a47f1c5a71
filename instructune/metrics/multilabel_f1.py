"""F1 of lists of labels: micro over all decisions, or the mean over labels or over rows.

Labels are those in references or predictions, as in scikit-learn; an undefined ratio is 0, but a
row where no label is true and none predicted is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._labelsets import counts_of, reference_labels, set_statistics
from instructune.metrics._ratios import ratio

REFERENCES = ("labels",)
DEFAULT_FOR = ("labels",)
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
SIGNATURE = "labels:stripped|classes:all|undefined:0|both_empty:1|references:nearest"

AVERAGES = ("micro", "macro", "weighted", "samples")


@dataclass(frozen=True)
class Options:
    """How decisions are put together: all alike, by label, by true labels, or by row."""

    average: Literal["micro", "macro", "weighted", "samples"] = "micro"


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 3 C + 4): counts by label and numbers a row."""
    return set_statistics(answers)


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """The average that was asked for."""
    return _average(sums, options.average)


def _average(sums: np.ndarray, average: str) -> np.ndarray:
    counts = counts_of(sums)
    either = counts.truths + counts.predictions
    if average == "samples":
        return counts.rows_f1 / counts.rows
    if average == "micro":
        return ratio(2 * counts.hits.sum(axis=-1), either.sum(axis=-1) + counts.outside)
    f1 = ratio(2 * counts.hits, either)
    if average == "weighted":
        return ratio((f1 * counts.truths).sum(axis=-1), counts.truths.sum(axis=-1))
    return ratio(f1.sum(axis=-1), (either > 0).sum(axis=-1) + counts.n_outside)


def details(answers: Sequence[Answer], sums: np.ndarray, options: Options) -> dict[str, Any]:
    """All four averages, and precision, recall, F1 and support by label."""
    counts = counts_of(sums)
    columns = (
        ratio(counts.hits, counts.predictions),
        ratio(counts.hits, counts.truths),
        ratio(2 * counts.hits, counts.truths + counts.predictions),
        counts.truths,
    )
    names = ("precision", "recall", "f1", "support")
    return {average: float(_average(sums, average)) for average in AVERAGES} | {
        "per_class": {
            label: {name: float(column[i]) for name, column in zip(names, columns, strict=True)}
            for i, label in enumerate(reference_labels(answers))
        }
    }
