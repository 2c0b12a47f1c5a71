"""Drops answers that `--accept` could not use, each with its reason."""

from __future__ import annotations

from instructune.records import Record


class Filter:
    """Reads the field `unusable`."""

    def __init__(self, options: None) -> None:
        pass

    def __call__(self, record: Record) -> str | None:
        """Why the answer is of no use."""
        found: str | None = record.get("unusable")
        return found
