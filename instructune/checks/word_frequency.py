"""A word or phrase stands so many times in the answer, in any case, as a whole word.

IFEval's verifier counts "war" in "warm" and reads the word as a regular expression.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.errors import usage
from instructune.records import Record
from instructune.segments import occurrences


@dataclass(frozen=True, kw_only=True)
class Options(Bounds):
    """The word, and how often, inclusive."""

    word: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.word.strip():
            raise usage("word is empty")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(occurrences(answer, options.word), options, f"times {options.word!r}")
