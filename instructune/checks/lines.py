"""So many lines that are not blank."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record


@dataclass(frozen=True)
class Options(Bounds):
    """How many, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(sum(1 for line in answer.split("\n") if line.strip()), options, "lines")
