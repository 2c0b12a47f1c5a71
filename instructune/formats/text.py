"""Plain text: `text`, for language modelling."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys

TAKES = ("text",)


def recognises(keys: frozenset[str]) -> bool:
    """A text without the keys of another task."""
    claimed = _keys.is_other_body(keys) or _keys.is_classification(keys) or _keys.is_tagged(keys)
    return "text" in keys and not claimed


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The text as it is."""
    return [{"text": row["text"]}]
