"""The answer matches a regular expression, somewhere or as a whole, found within a second.

Python's syntax; flags are written inside, such as (?i). An expression that takes longer fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.errors import usage
from instructune.records import Record
from instructune.timelimit import OutOfTime, within

_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """The expression, and whether it must match the whole answer."""

    pattern: str
    whole: bool = False

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise usage(f"pattern {self.pattern!r} is no regular expression: {error}") from None


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    pattern = re.compile(options.pattern)
    match = pattern.fullmatch if options.whole else pattern.search
    try:
        found = within(_SECONDS, lambda: match(answer.strip()))
    except OutOfTime:
        return f"the pattern took longer than {_SECONDS:g} s"
    return None if found else "does not match the pattern"
