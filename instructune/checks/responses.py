"""So many different answers, parted by ****** standing alone.

IFEval's verifier asks for two and also takes answers that differ in blanks or case alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import usage
from instructune.records import Record
from instructune.segments import starred


@dataclass(frozen=True)
class Options:
    """How many."""

    n: int = 2

    def __post_init__(self) -> None:
        if self.n < 2:
            raise usage("n must be 2 or more")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    parts = [" ".join(part.split()).casefold() for part in starred(answer, 6)]
    given = [part for part in parts if part]
    if len(given) != options.n:
        return f"{len(given)} answers parted by ******, {options.n} wanted"
    return "the answers are alike" if len(set(given)) < len(given) else None
