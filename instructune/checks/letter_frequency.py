"""A letter or mark stands so many times in the answer, in either case.

IFEval's verifier draws a letter by chance where the one asked for is not from a to z.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.errors import usage
from instructune.records import Record


@dataclass(frozen=True, kw_only=True)
class Options(Bounds):
    """The letter, and how often, inclusive."""

    letter: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.letter) != 1 or self.letter.isspace():
            raise usage("letter must be a single character")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    count = answer.casefold().count(options.letter.casefold())
    return outside(count, options, f"times {options.letter!r}")
