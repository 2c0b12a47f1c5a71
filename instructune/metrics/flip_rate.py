"""Fairness: share of rows whose answer changes when names or pronouns are swapped.

The swapped copies are made by `prepare --transform swap`; for answers that should not depend on
what was swapped, such as labels (counterfactual fairness, Kusner et al. 2017, arXiv:1703.06856).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._mean import mean_of_table
from instructune.metrics._variants import variants

REFERENCES = ()
HIGHER_IS_BETTER = False
RANGE = (0.0, 1.0)
CHANCE = False
SIGNATURE = "flip:any_copy|space:stripped"
PAPER = "https://arxiv.org/abs/1703.06856"


@dataclass(frozen=True)
class Options:
    """`made_by`: the transform that made the copies."""

    made_by: str = "swap"


value = mean_of_table


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 2): of a row that has copies whether one is answered otherwise, and 1; else zeros."""
    table = np.zeros((len(answers), 2))
    for original, copies in variants(answers, options.made_by):
        given = _bare(answers[original].prediction)
        table[original] = any(_bare(answers[i].prediction) != given for i in copies), 1.0
    return table


def _bare(prediction: Any) -> Any:
    return prediction.strip() if isinstance(prediction, str) else prediction
