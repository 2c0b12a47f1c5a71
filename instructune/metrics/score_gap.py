"""Fairness: the widest gap between groups in the mean score of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._gaps import by_name, rates, rates_table, widest
from instructune.metrics._variants import scores

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = False
RANGE = (0.0, 1.0)
CHANCE = False
SIGNATURE = "gap:widest"


@dataclass(frozen=True)
class Options:
    """`by`: the field that names the group; `of`: the metric that scores a row."""

    by: str
    of: str = "exact_match"


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 2 G): scores and rows of each group."""
    found = scores(answers, options.of, "score_gap")
    return rates_table(answers, options.by, [[(score, 1.0)] for score in found])


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """The widest gap."""
    return widest(rates(sums, 1)[..., 0, :])


def details(answers: Sequence[Answer], sums: np.ndarray, options: Options) -> dict[str, Any]:
    """The mean score of each group."""
    return {"means": by_name(answers, options.by, rates(sums, 1)[0])}
