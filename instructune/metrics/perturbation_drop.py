"""Robustness: how much lower perturbed copies score than the rows they were made of.

Copies are those that `prepare --transform noise`, `synonyms`, `paraphrase` or `swap` made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._variants import scores, variants

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = False
RANGE = (-1.0, 1.0)
CHANCE = False
SIGNATURE = "rows:with_copies"


@dataclass(frozen=True)
class Options:
    """`of`: the metric that scores a row."""

    of: str = "exact_match"


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 3): of a row that has copies its score, the mean of theirs, and 1; else zeros."""
    found = list(scores(answers, options.of, "perturbation_drop"))
    table = np.zeros((len(answers), 3))
    for original, copies in variants(answers):
        theirs = [found[i] for i in copies]
        table[original] = found[original], sum(theirs) / len(theirs), 1.0
    return table


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """The mean score of the rows less that of their copies."""
    return (sums[..., 0] - sums[..., 1]) / sums[..., 2]


def details(answers: Sequence[Answer], sums: np.ndarray, options: Options) -> dict[str, Any]:
    """Both means, and how many rows have copies."""
    return {
        "rows": float(sums[0] / sums[2]),
        "copies": float(sums[1] / sums[2]),
        "rows_with_copies": len(variants(answers)),
    }
