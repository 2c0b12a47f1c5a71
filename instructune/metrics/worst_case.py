"""Robustness: the mean over rows of the worst score among a row and its perturbed copies.

Copies are those that `prepare --transform noise`, `synonyms`, `paraphrase` or `swap` made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._mean import mean_of_table
from instructune.metrics._variants import scores, variants

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
CHANCE = False
SIGNATURE = "rows:with_copies"


@dataclass(frozen=True)
class Options:
    """`of`: the metric that scores a row."""

    of: str = "exact_match"


value = mean_of_table


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 2): of a row that has copies the worst score and 1, of all others zeros."""
    found = list(scores(answers, options.of, "worst_case"))
    table = np.zeros((len(answers), 2))
    for original, copies in variants(answers):
        table[original] = min(found[i] for i in (original, *copies)), 1.0
    return table
