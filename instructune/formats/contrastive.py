"""A text and what is close to it: `anchor` or `query`, `positive` or `pos`, maybe `negative`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _labels

TAKES = (*_keys.ANCHORS, *_keys.POSITIVES, *_keys.NEGATIVES)


def recognises(keys: frozenset[str]) -> bool:
    """A text beside one that is close to it, and no chat."""
    return _keys.is_contrastive(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each text that is close; the distant ones go with each of them."""
    anchor, positive, negative = (
        next((name for name in names if name in row), names[0])
        for names in (_keys.ANCHORS, _keys.POSITIVES, _keys.NEGATIVES)
    )
    made: dict[str, Any] = {"text": _labels.text(row, anchor)}
    far = {"negatives": _texts(row, negative)} if row.get(negative) else {}
    return [made | {"positive": text} | far for text in _texts(row, positive)]


def _texts(row: dict[str, Any], name: str) -> list[str]:
    """One text or several."""
    value = row[name]
    if type(value) is not list:
        return [_labels.text(row, name)]
    if not value or not all(type(text) is str for text in value):
        raise ValueError(f"{name} must be a string or a list of strings")
    return value
