"""A paragraph starts with a given word or phrase, in any case.

Quotes, brackets and markup before the word are passed over. IFEval's verifier counts empty
paragraphs and strips marks in an order of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.errors import usage
from instructune.records import Record
from instructune.segments import paragraphs, places

_BEFORE = re.compile(r"[\W_]*")


@dataclass(frozen=True)
class Options:
    """The word, the paragraph that starts with it, and how many paragraphs there must be."""

    word: str
    paragraph: int = 1
    paragraphs: int | None = None

    def __post_init__(self) -> None:
        if not self.word.strip():
            raise usage("word is empty")
        if self.paragraph < 1:
            raise usage("paragraph counts from 1")
        if self.paragraphs is not None and self.paragraphs < self.paragraph:
            raise usage(f"there is no paragraph {self.paragraph} of {self.paragraphs}")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    parts = paragraphs(answer)
    if options.paragraphs is not None and len(parts) != options.paragraphs:
        return f"{len(parts)} paragraphs, {options.paragraphs} wanted"
    if len(parts) < options.paragraph:
        return f"has no paragraph {options.paragraph}"
    part = parts[options.paragraph - 1]
    word = _BEFORE.sub("", options.word, count=1) or options.word
    start = _BEFORE.match(part)
    at = start.end() if start else 0
    if next(places(part, word, at), (-1, -1))[0] == at:
        return None
    return f"paragraph {options.paragraph} does not start with {options.word!r}"
