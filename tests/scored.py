"""Answers made of predictions and references, and what a metric makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.statistics.tables import exact_sums

# two texts a metric was measured on by its reference implementation
HYPOTHESES = [
    "The cat sat on the mat.",
    "There is a  cat on the mat",
    "Hello world",
    "",
    "It costs $3,000.50, don't it?",
]
REFERENCES = [
    "The cat is sitting on the mat.",
    "There is a cat on the mat",
    "Hello there world",
    "nothing",
    "It costs $3,000.50, doesn't it?",
]


def answered(
    predictions: Sequence[Any], references: Sequence[Any], kind: str = "text", **columns: Any
) -> list[Answer]:
    """Rows with ids in order; a list is several references, unless labels come in lists."""
    several = kind not in ("labels", "tags")
    made = []
    for i, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
        row = {"id": f"{i:04}"} | {name: column[i] for name, column in columns.items()}
        found = reference if several and isinstance(reference, list) else [reference]
        made.append(Answer(prediction, found, kind, row))
    return made


def measured(spec: str, answers: Sequence[Answer]) -> float:
    """The value of all answers, by sums or by weights of one."""
    metric = Metric(spec, answers)
    if hasattr(metric, "evaluator"):
        return float(metric.evaluator(answers)(np.ones((1, len(answers))))[0])
    return float(metric.value(exact_sums(metric.statistics(answers))))


def resampled(spec: str, answers: Sequence[Answer], weights: np.ndarray) -> np.ndarray:
    """The value of each resample (b, n)."""
    metric = Metric(spec, answers)
    if hasattr(metric, "evaluator"):
        return metric.evaluator(answers)(weights)
    return metric.value(weights @ metric.statistics(answers))
