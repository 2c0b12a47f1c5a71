"""Translation edit rate as sacrebleu computes it: edits by 100 reference words; less is better.

Snover et al. 2006, AMTA. It is over 100 where more words are wrong than the reference has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._ratios import ratio
from instructune.metrics._sacrebleu import mostly_chinese, row_statistics, signature_of

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = False
RANGE = (0.0, float("inf"))
SIGNATURE = "sacrebleu"
PAPER = "https://aclanthology.org/2006.amta-papers.25"


@dataclass(frozen=True)
class Options:
    """sacrebleu's settings.

    Unsaid, `normalized` and `asian_support` hold where most references are Chinese, whose
    characters are words then; without them a Chinese sentence is one word.
    """

    normalized: bool | None = None
    asian_support: bool | None = None
    no_punct: bool = False
    case_sensitive: bool = False


def _metric(answers: Sequence[Answer], options: Options) -> Any:
    from sacrebleu.metrics import TER

    chinese = mostly_chinese(answers)
    given: dict[str, Any] = vars(options)
    settled: dict[str, Any] = {k: chinese if v is None else v for k, v in given.items()}
    return TER(**settled)


def signature(answers: Sequence[Answer], options: Options) -> str:
    """sacrebleu's own, which names what was settled."""
    return signature_of(_metric(answers, options), answers)


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 2): edits to the nearest reference, and the mean length of references.

    An error must be rewritten in full: an edit a reference word, and one where it has none.
    """
    table = row_statistics(_metric(answers, options), answers)
    failed = np.array([answer.prediction is None for answer in answers])
    table[failed, 0] = np.maximum(table[failed, 0], 1.0)
    return table


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """Edits by words; 100 where words stand against empty references only."""
    edits, words = sums[..., 0], sums[..., 1]
    return 100 * np.where(words > 0, ratio(edits, words), (edits > 0).astype(float))
