"""Harmonic mean of entity precision and recall; tags, spans, and entities named in words alike.

Strict by default: boundaries and type, as seqeval's strict mode; `scheme=conll` as conlleval. Other
matches as in SemEval-2013 task 9 (Segura-Bedmar et al. 2013), with the sums of MUC-5 (Chinchor and
Sundheim 1993). An answer that cannot be read names no entities, and is counted in details.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._entities import Options, matched, scheme_of
from instructune.metrics._extraction import macro, micro, report, table
from instructune.metrics._table import Table

REFERENCES = ("tags", "entities", "relations", "text")
DEFAULT_FOR = ("tags", "entities")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
SIGNATURE = "undefined:0|texts:best_place,blanks_ignored|unread:none"
PAPER = "https://aclanthology.org/S13-2056"


def statistics(answers: Sequence[Answer], options: Options) -> Table:
    """What was found, predicted and true, in all and by type."""
    return table(answers, matched(answers, options))


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """F1, over all entities or the mean over types."""
    return (micro if options.average == "micro" else macro)(sums).f1


def details(answers: Sequence[Answer], sums: np.ndarray, options: Options) -> dict[str, Any]:
    """Both averages, a line a type, types that no reference has, and answers that say none."""
    return {"scheme": scheme_of(answers, options)} | report(matched(answers, options), sums)
