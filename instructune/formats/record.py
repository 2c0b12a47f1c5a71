"""Records that `prepare` wrote before: they pass through unchanged."""

from __future__ import annotations

from typing import Any

from instructune.records import BODIES, FIELDS

TAKES = tuple(FIELDS)


def recognises(keys: frozenset[str]) -> bool:
    """By the two fields that `prepare` adds to every row, beside a body."""
    return "id" in keys and "origin" in keys and len(keys.intersection(BODIES)) == 1


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The row as it is."""
    return [row]
