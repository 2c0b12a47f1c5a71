"""Corpus chrF as sacrebleu computes it: F2 of character n-grams, with words chrF++, 0 to 100.

Popović 2015, WMT W15-3049; 2017, WMT W17-4770.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructune.errors import usage
from instructune.evaluating.predictions import Answer
from instructune.metrics._ratios import ratio
from instructune.metrics._sacrebleu import row_statistics, signature_of

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = True
RANGE = (0.0, 100.0)
SIGNATURE = "sacrebleu"
PAPER = "https://aclanthology.org/W15-3049"


@dataclass(frozen=True)
class Options:
    """sacrebleu's settings; `word_order=2` makes it chrF++."""

    char_order: int = 6
    word_order: int = 0
    beta: int = 2
    lowercase: bool = False
    whitespace: bool = False

    def __post_init__(self) -> None:
        if self.char_order < 1 or self.word_order < 0 or self.beta < 1:
            raise usage("metric 'chrf': char_order and beta are at least 1, word_order 0")


def _metric(options: Options) -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF(**vars(options))


def signature(answers: Sequence[Answer], options: Options) -> str:
    """sacrebleu's own, which does not name beta."""
    return f"{signature_of(_metric(options), answers)}|beta:{options.beta}"


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 3 orders): predicted, true and matched n-grams of each order, by the best reference."""
    return row_statistics(_metric(options), answers)


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """F of the mean precision and recall over the orders that both sides have."""
    predicted, true, matched = (sums[..., i::3] for i in range(3))
    both = (predicted > 0) & (true > 0)
    orders = both.sum(axis=-1)
    precision = ratio((ratio(matched, predicted) * both).sum(axis=-1), orders)
    recall = ratio((ratio(matched, true) * both).sum(axis=-1), orders)
    factor = options.beta**2
    return 100 * ratio((1 + factor) * precision * recall, factor * precision + recall)
