"""Every line has so many words, a Chinese character as one and marks as none: 五言, 七言.

Blank lines are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record
from instructune.texts import words


@dataclass(frozen=True)
class Options(Bounds):
    """How many in each line, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    lines = [line for line in answer.split("\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        if reason := outside(len(words(line)), options, "words"):
            return f"line {number} has {reason}"
    return None
