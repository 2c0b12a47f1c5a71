"""None of the given marks, or no punctuation at all."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """The marks that are not allowed, such as ！!; none named means all punctuation."""

    marks: str = ""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    if options.marks:
        found = next((mark for mark in answer if mark in options.marks), None)
    else:
        found = next((c for c in answer if unicodedata.category(c).startswith("P")), None)
    return f"has the mark {found!r}" if found else None
