"""F1 of relations: head, tail and type must be right; records and triples in words alike.

Strict by default: the entities' types count, too (Taillé et al. 2020, arXiv:2009.10684). Triples in
words have no places: their texts are compared, blanks aside, each triple once. An answer that
cannot be read names no relations, and is counted in details.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._extraction import macro, micro, report, table
from instructune.metrics._relations import Options, matched
from instructune.metrics._table import Table

REFERENCES = ("relations", "text")
DEFAULT_FOR = ("relations",)
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
SIGNATURE = "undefined:0|direction:kept|texts:blanks_ignored|unread:none"
PAPER = "https://arxiv.org/abs/2009.10684"


def statistics(answers: Sequence[Answer], options: Options) -> Table:
    """What was found, predicted and true, in all and by type."""
    return table(answers, matched(answers, options))


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """F1, over all relations or the mean over types."""
    return (micro if options.average == "micro" else macro)(sums).f1


def details(answers: Sequence[Answer], sums: np.ndarray, options: Options) -> dict[str, Any]:
    """Both averages, a line a type, types that no reference has, and answers that say none."""
    return report(matched(answers, options), sums)
