"""A text or pair of texts and a number: `label` or `score`; only by `--format`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _labels

TAKES = ("text", "label", "score", *(name for pair in _keys.PAIRS for name in pair))


def recognises(keys: frozenset[str]) -> bool:
    """Never: a column of numbers may be classes, or a note on quality."""
    return False


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Numbers may be given as text, as tables do; null is no label."""
    pair = _keys.first_of(row, _keys.PAIRS)
    made: dict[str, Any]
    if pair:
        made = {"texts": [_labels.text(row, name) for name in pair]}
    else:
        made = {"text": _labels.text(row, "text")}
    name = "score" if "score" in row and "label" not in row else "label"
    if row[name] is not None:
        made["label"] = _labels.as_number(row[name], name)
    more = {"score": row["score"]} if "score" in row and name == "label" else {}
    return [made | more]
