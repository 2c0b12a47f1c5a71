"""Plain text: `text`, for language modelling."""

from __future__ import annotations

from typing import Any

TAKES = ("text",)


def recognises(keys: frozenset[str]) -> bool:
    """A text without the keys of an instruction."""
    return "text" in keys and not keys & {"instruction", "prompt", "messages", "conversations"}


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The text as it is."""
    return [{"text": row["text"]}]
