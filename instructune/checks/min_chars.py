"""At least n characters, all of them or as 字数 counts."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._chars import Characters, counted
from instructune.records import Record


@dataclass(frozen=True)
class Options(Characters):
    """The bound, inclusive, and what counts."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    count, what = counted(answer, options)
    return f"{count} {what}, at least {options.n} wanted" if count < options.n else None
