"""None of these words or phrases stands in the answer, in any case, as a whole word.

Only the forms given are found: "name" does not forbid "names". IFEval's verifier reads a word as a
regular expression. Chinese words are found wherever they stand.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import usage
from instructune.records import Record
from instructune.segments import contains


@dataclass(frozen=True)
class Options:
    """What must not be there."""

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.words or not all(word.strip() for word in self.words):
            raise usage("words must be named, none of them empty")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    said = [word for word in options.words if contains(answer, word)]
    return f"says {', '.join(map(repr, said))}" if said else None
