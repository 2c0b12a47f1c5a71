"""Plain text: `text`, for language modelling."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys

TAKES = ("text",)


def recognises(keys: frozenset[str]) -> bool:
    """A text without the keys of another task."""
    others = (_keys.is_other_body, _keys.is_classification, _keys.is_tagged, _keys.is_contrastive)
    return "text" in keys and not any(claims(keys) for claims in others)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The text as it is."""
    return [{"text": row["text"]}]
