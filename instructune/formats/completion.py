"""Prompt and completion: `prompt` as text or turns, `completion` as text or one turn."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _turns
from instructune.records import DESCRIPTIVE

TAKES = ("prompt", "completion", "system")


def recognises(keys: frozenset[str]) -> bool:
    """Both keys; or a prompt alone, beside nothing but descriptive fields."""
    alone = keys <= DESCRIPTIVE | {"prompt", "system"}
    return "prompt" in keys and ("completion" in keys or alone) and not _keys.is_judged(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The prompt is the user's turn (or turns as they are), the completion the assistant's."""
    messages = _turns.system(row) + _side(row["prompt"], "prompt", "user")
    if row.get("completion") is not None:
        messages += _side(row["completion"], "completion", "assistant")
    return [{"messages": messages}]


def _side(value: Any, place: str, role: str) -> list[dict[str, Any]]:
    if type(value) is str:
        return [{"role": role, "content": value}]
    if type(value) is list:
        return _turns.turns(value, place)
    raise ValueError(f"{place} must be a string or a list of turns")
