"""Classes and numbers as labels, from the spellings of tables and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def as_class(value: Any, place: str) -> str | list[str]:
    """A class as text, several as a list; ids of classes by their digits."""
    if type(value) is list:
        return [_one(item, place) for item in value]
    return _one(value, place)


def _one(value: Any, place: str) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is str and value:
        return value
    raise ValueError(
        f"{place} must be a class, as a string or integer (numbers: --format regression)"
    )


def as_number(value: Any, place: str) -> int | float:
    """A finite number, also from its text."""
    if type(value) is str:
        try:
            value = int(value)
        except ValueError:
            try:
                value = float(value)
            except ValueError:
                raise ValueError(f"{place} must be a number, got {value[:40]!r}") from None
    if type(value) in (int, float) and math.isfinite(value):
        return value
    raise ValueError(f"{place} must be a finite number")


def text(row: Mapping[str, Any], name: str) -> str:
    """A column that must be a string."""
    value = row[name]
    if type(value) is not str:
        raise ValueError(f"{name} must be a string")
    return value
