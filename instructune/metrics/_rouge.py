"""What the ROUGE metrics share: tokens as `rouge-score` cuts them, and beyond English; the F1."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from instructune.evaluating.predictions import Answer
from instructune.metrics._porter import stem

Overlap = Callable[[list[str], list[str]], tuple[int, int, int]]

_UNSPACED = (
    "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0002fa1f\U00030000-\U000323af"
)
_ASCII = re.compile("[a-z0-9]+")
_UNICODE = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_LONG = 3  # letters; shorter words are not stemmed


@dataclass(frozen=True)
class Options:
    """`tokens=ascii` is `rouge-score` to the letter, which sees nothing but a-z and 0-9."""

    stemmer: bool = False
    tokens: Literal["unicode", "ascii"] = "unicode"


def tokens_of(text: str, options: Options) -> list[str]:
    """Runs of letters and digits in lower case; each Han character and kana by itself."""
    lower = text.lower()
    ascii_only = options.tokens == "ascii" or lower.isascii()
    found = (_ASCII if ascii_only else _UNICODE).findall(lower)
    if not options.stemmer:
        return found
    return [stem(w) if len(w) > _LONG and w.isascii() else w for w in found]


def best_f1(overlap: Overlap, answer: Answer, options: Options) -> float:
    """The highest F1 over the references; `overlap` counts units shared, predicted and true."""
    predicted = tokens_of(answer.prediction, options)
    return max(_f1(*overlap(predicted, tokens_of(t, options))) for t in answer.references)


def _f1(shared: int, predicted: int, true: int) -> float:
    return 2 * shared / (predicted + true) if shared else 0.0


def ngrams(tokens: list[str], order: int) -> list[tuple[str, ...]]:
    """All runs of `order` tokens."""
    return list(zip(*(tokens[i:] for i in range(order)), strict=False))
