"""Text pairs: sentence1/sentence2, premise/hypothesis, question1/question2, text_a/b, texts."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _labels

TAKES = ("texts", "label", "score", *(name for pair in _keys.PAIRS for name in pair))


def recognises(keys: frozenset[str]) -> bool:
    """The two columns of a pair, and no body beside them."""
    return _keys.is_pair(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The pair, and its label: a class from text or an integer, a number from a fraction or score.

    Null and -1, by which benchmarks withhold labels, are no label.
    """
    pair = _keys.first_of(row, _keys.PAIRS) or _keys.PAIRS[0]
    made: dict[str, Any] = {"texts": row.get("texts") or [_labels.text(row, name) for name in pair]}
    label = row.get("label")
    if type(label) is float:
        made["label"] = label
    elif label is not None and label != -1:
        made["label"] = _labels.as_class(label, "label")
    elif row.get("score") is not None and "label" not in row:
        made["label"] = _labels.as_number(row["score"], "score")
    if "score" in row and "label" in row:
        made["score"] = row["score"]
    return [made]
