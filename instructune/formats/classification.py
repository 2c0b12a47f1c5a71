"""A text and its class: `text` with `label`, `category`, `intent` or `class`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _labels

TAKES = ("text", *_keys.LABELS)


def recognises(keys: frozenset[str]) -> bool:
    """A text beside a column that names classes, and no other task's columns."""
    return _keys.is_classification(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The first of the columns that the row has is the label; others pass through.

    Classes given as integers or truth values become text, so `1` and `"1"` are one class and no
    class is taken for a quantity; null is no label.
    """
    made: dict[str, Any] = {"text": _labels.text(row, "text")}
    names = [name for name in _keys.LABELS if name in row]
    if not names:
        row["label"]  # noqa: B018 - the way out is told for it
    if row[names[0]] is not None:
        made["label"] = _labels.as_class(row[names[0]], names[0])
    return [made | {name: row[name] for name in names[1:]}]
