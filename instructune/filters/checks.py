"""Drops rows whose own reference answer fails one of the row's own checks.

Rows without checks or without an answer stay. A check that does not exist, or whose args are
wrong, fails: nothing unknown passes.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checking import failures
from instructune.errors import usage
from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """Which references must pass, any or all of them; loose forgives an opening remark."""

    references: str = "any"
    loose: bool = False

    def __post_init__(self) -> None:
        if self.references not in ("any", "all"):
            raise usage("references must be any or all", where="--filter checks")


class Filter:
    """The first failed check of the best reference is the reason."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        checks, references = record.get("checks"), record.references()
        if not checks or not references:
            return None
        answers = (text if isinstance(text, str) else None for text in references)
        failed = [failures(a, checks, record, loose=self._options.loose) for a in answers]
        picked = min(failed, key=len) if self._options.references == "any" else max(failed, key=len)
        return f"reference fails {picked[0].partition(':')[0]}" if picked else None
