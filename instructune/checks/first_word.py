"""A paragraph starts with a given word or phrase, in any case.

Quotes, brackets and markup before the word are passed over. IFEval's verifier counts empty
paragraphs and strips marks in an order of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.errors import usage
from instructune.records import Record
from instructune.segments import paragraphs, whole

_BEFORE = re.compile(r"[\W_]*")


@dataclass(frozen=True)
class Options:
    """The word, and the number of the paragraph that starts with it."""

    word: str
    paragraph: int = 1

    def __post_init__(self) -> None:
        if not self.word.strip():
            raise usage("word is empty")
        if self.paragraph < 1:
            raise usage("paragraph counts from 1")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    parts = paragraphs(answer)
    if len(parts) < options.paragraph:
        return f"has no paragraph {options.paragraph}"
    part = parts[options.paragraph - 1]
    word = _BEFORE.sub("", options.word, count=1) or options.word
    start = _BEFORE.match(part)
    if whole(word).match(part, start.end() if start else 0):
        return None
    return f"paragraph {options.paragraph} does not start with {options.word!r}"
