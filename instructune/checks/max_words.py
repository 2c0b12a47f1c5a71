"""At most n words, as `texts.words` counts: "don't" is one word, a Chinese character one.

IFEval's verifier splits "don't" in two and takes a Chinese sentence for one word.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._limit import Limit
from instructune.records import Record
from instructune.texts import words


@dataclass(frozen=True)
class Options(Limit):
    """The bound, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    count = len(words(answer))
    return f"{count} words, at most {options.n} allowed" if count > options.n else None
