"""Turns a model's answers to `--ask` into marked records, and other answers into chats."""

from __future__ import annotations

from collections import Counter

from instructune.preparing.growing import accepted
from instructune.records import Record


class Transform:
    """What cannot be used keeps its row and says why in `unusable`: see the filter `accepted`."""

    def __init__(self, options: None) -> None:
        pass

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The new record; one that is no prediction is left alone."""
        if "prediction" not in record:
            return [record]
        made = accepted(record)
        if "unusable" not in made:
            changes[f"accepted: {made['generated']['kind']}"] += 1
        return [made]
