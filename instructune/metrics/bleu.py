"""Corpus BLEU as sacrebleu computes it: n-gram precision up to 4 with a brevity penalty, 0 to 100.

Papineni et al. 2002, ACL P02-1040; Post 2018, WMT W18-6319.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._ratios import ratio
from instructune.metrics._sacrebleu import mostly_chinese, row_statistics, signature_of

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = True
RANGE = (0.0, 100.0)
SIGNATURE = "sacrebleu"
PAPER = "https://aclanthology.org/P02-1040"

_ORDER = 4
_SMOOTHING = {"floor": 0.1, "add-k": 1.0}  # what sacrebleu adds where nothing else is said


@dataclass(frozen=True)
class Options:
    """sacrebleu's settings; `tokenize=auto` is zh where most references are Chinese, else 13a."""

    tokenize: Literal["auto", "13a", "zh", "intl", "char", "none"] = "auto"
    smooth: Literal["exp", "floor", "add-k", "none"] = "exp"
    lowercase: bool = False


def _metric(answers: Sequence[Answer], options: Options) -> Any:
    from sacrebleu.metrics import BLEU

    tokenize: str = options.tokenize
    if tokenize == "auto":
        tokenize = "zh" if mostly_chinese(answers) else "13a"
    return BLEU(
        tokenize=tokenize, smooth_method=options.smooth, lowercase=options.lowercase, force=True
    )


def signature(answers: Sequence[Answer], options: Options) -> str:
    """sacrebleu's own, which names the tokenizer that was chosen."""
    return signature_of(_metric(answers, options), answers)


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 10): both lengths, then matched and predicted n-grams of each order."""
    return row_statistics(_metric(answers, options), answers)


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """BLEU of summed counts."""
    length, reference_length = sums[..., 0], sums[..., 1]
    matched, found = sums[..., 2 : 2 + _ORDER], sums[..., 2 + _ORDER :]
    log_precisions = np.log(np.maximum(_precisions(matched, found, options.smooth), 1e-300))
    # an order without n-grams ends the product at 0, as does a precision of 0 without smoothing
    scored = (matched.sum(axis=-1) > 0) & (log_precisions > -690).all(axis=-1)
    shortfall = ratio(np.maximum(reference_length - length, 0.0), length)
    score = 100 * np.exp(log_precisions.mean(axis=-1) - shortfall)
    return np.where(scored, np.minimum(score, 100.0), 0.0)


def _precisions(matched: np.ndarray, found: np.ndarray, smooth: str) -> np.ndarray:
    """Precision by order (..., 4), smoothed where no n-gram of an order matches."""
    if smooth == "add-k":
        added = np.array([0.0] + [_SMOOTHING[smooth]] * (_ORDER - 1))
        return ratio(matched + added, found + added)
    missed = matched == 0
    if smooth == "exp":
        matched = np.where(missed, 0.5 ** missed.cumsum(axis=-1), matched)
    elif smooth == "floor":
        matched = np.where(missed, _SMOOTHING[smooth], matched)
    return np.asarray(ratio(matched, found))
