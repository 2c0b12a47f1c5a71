"""Drops rows with annotations but no label: tied ones that `--transform adjudicate` left."""

from __future__ import annotations

from instructune.records import Record


class Filter:
    """Rows without annotations pass."""

    def __init__(self, options: None) -> None:
        pass

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        if record.get("annotations") and "label" not in record:
            return "annotators undecided"
        return None
