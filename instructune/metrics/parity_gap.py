"""Fairness: demographic parity difference, the widest gap in how often groups get a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._gaps import by_name, rates, rates_table, widest

REFERENCES = ("label", "text")
HIGHER_IS_BETTER = False
RANGE = (0.0, 1.0)
CHANCE = False
SIGNATURE = "gap:widest|errors:not_the_label"


@dataclass(frozen=True)
class Options:
    """`by`: the field that names the group; `positive`: the label."""

    by: str
    positive: str


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 2 G): rows of each group that get the label, and rows."""
    given = [
        [(float(a.prediction is not None and a.prediction.strip() == options.positive), 1.0)]
        for a in answers
    ]
    return rates_table(answers, options.by, given)


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """The widest gap."""
    return widest(rates(sums, 1)[..., 0, :])


def details(answers: Sequence[Answer], sums: np.ndarray, options: Options) -> dict[str, Any]:
    """The rate of each group."""
    return {"rates": by_name(answers, options.by, rates(sums, 1)[0])}
