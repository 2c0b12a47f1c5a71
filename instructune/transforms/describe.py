"""Fills `task`, `kind`, `structure`, `checks` and `language` where they are absent, by rules.

What a row says of itself stays as it is. `structure` keeps the words that decided, under
`evidence`. Only chats are described, by the user's last turn.
"""

from __future__ import annotations

from collections import Counter

from instructune.describing import describe
from instructune.preparing.languages import identify
from instructune.records import Record


class Transform:
    """Describes a record from what its user asks, and counts each field that was filled."""

    def __init__(self, options: None) -> None:
        pass

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record with the fields that it lacked; the same object where it lacks none."""
        prompt = _asked(record) if "messages" in record else ""
        wanted = [name for name in _FILLED if name not in record]
        if not wanted or not prompt.strip():
            return [record]
        found = describe(prompt)
        made = {
            "task": found.task,
            "kind": found.kind,
            "structure": found.structure,
            "checks": [item.as_check() for item in found.constraints],
            "language": identify(prompt),
        }
        new = {name: made[name] for name in wanted if made[name]}
        for name in new:
            changes[f"{name} filled"] += 1
        return [Record(record | new)] if new else [record]


def _asked(record: Record) -> str:
    """What the answer answers: the last user turn, as the demands of earlier ones are past."""
    turns = (turn for turn in reversed(record.prompt()) if turn["role"] == "user")
    return next((turn.get("content") or "" for turn in turns), "")


_FILLED = ("task", "kind", "structure", "checks", "language")
