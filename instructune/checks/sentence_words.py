"""Every sentence has so many words, a Chinese character as one and marks as none."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record
from instructune.segments import sentences
from instructune.texts import words


@dataclass(frozen=True)
class Options(Bounds):
    """How many in each sentence, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    found = sentences(answer)
    for number, sentence in enumerate(found, 1):
        if reason := outside(len(words(sentence)), options, "words"):
            return f"sentence {number} has {reason}"
    return None if found else "no sentences"
