"""Fairness: equalised odds difference, the widest gap between groups in two rates of a label.

The rates are those at which it is given rightly and wrongly; the larger of both gaps counts
(Hardt et al. 2016, arXiv:1610.02413; as fairlearn has it).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._gaps import by_name, groups, rates, rates_table, widest

REFERENCES = ("label", "text")
HIGHER_IS_BETTER = False
RANGE = (0.0, 1.0)
CHANCE = False
SIGNATURE = "gap:widest|rates:tpr+fpr|errors:not_the_label"
PAPER = "https://arxiv.org/abs/1610.02413"


@dataclass(frozen=True)
class Options:
    """`by`: the field that names the group; `positive`: the label."""

    by: str
    positive: str


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 4 G): rightly given and deserved, then wrongly given and not deserved, by group."""
    true = [options.positive in (text.strip() for text in a.references) for a in answers]
    kinds: dict[str, set[bool]] = defaultdict(set)
    for name, has in zip(groups(answers, options.by), true, strict=True):
        kinds[name].add(has)
    for name, found in sorted(kinds.items()):
        if len(found) < 2:
            lacks = "with" if False in found else "without"
            raise UserError(
                f"{options.by} {name!r} has no row {lacks} the label {options.positive!r}, "
                "so its rates are undefined"
            )
    counted = []
    for answer, has in zip(answers, true, strict=True):
        said = answer.prediction is not None and answer.prediction.strip() == options.positive
        counted.append([(float(said and has), float(has)), (float(said and not has), not has)])
    return rates_table(answers, options.by, counted)


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """The widest of both gaps."""
    return widest(rates(sums, 2)).max(-1)


def details(answers: Sequence[Answer], sums: np.ndarray, options: Options) -> dict[str, Any]:
    """Both rates of each group, and the gap in each."""
    right, wrong = rates(sums, 2)
    return {
        name: by_name(answers, options.by, found) | {"gap": float(widest(found))}
        for name, found in (("true_positive_rate", right), ("false_positive_rate", wrong))
    }
