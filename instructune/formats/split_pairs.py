"""One object of splits, each a list of [text, label] pairs; only by `--format`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _labels

TAKES = ()
TAKES_ALL = True  # the keys are names of splits


def recognises(keys: frozenset[str]) -> bool:
    """Never: any keys may be names of splits."""
    return False


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A classification record for each pair, with the `split` it is in."""
    records = []
    for split, pairs in row.items():
        if type(pairs) is not list:
            raise ValueError(f"{split} must be a list of [text, label] pairs")
        for i, pair in enumerate(pairs):
            if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str:
                raise ValueError(f"{split}[{i}] must be a [text, label] pair")
            label = _labels.as_class(pair[1], f"{split}[{i}]")
            records.append({"text": pair[0], "label": label, "split": split})
    if not records:
        raise ValueError("has no pairs")
    return records
