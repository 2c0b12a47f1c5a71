"""Prompt and completion (response, answer, output), each as text or as turns."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _turns
from instructune.records import DESCRIPTIVE

_ANSWERS = ("completion", "response", "answer", "output")
TAKES = ("prompt", "system", "completion", "response", "answer", "output")


def recognises(keys: frozenset[str]) -> bool:
    """A prompt and one answer; or a prompt alone, beside nothing but descriptive fields."""
    alone = keys <= DESCRIPTIVE | {"prompt", "system"}
    return (
        "prompt" in keys
        and (len(keys.intersection(_ANSWERS)) == 1 or "completion" in keys or alone)
        and not _keys.is_judged(keys)
    )


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The prompt is the user's turn (or turns as they are), the completion the assistant's."""
    messages = _turns.system(row) + _side(row["prompt"], "prompt", "user")
    name = next((name for name in _ANSWERS if name in row), "completion")
    made = {other: row[other] for other in _ANSWERS if other in row and other != name}
    if row.get(name) is not None:
        messages += _side(row[name], name, "assistant")
    return [{"messages": messages} | made]


def _side(value: Any, place: str, role: str) -> list[dict[str, Any]]:
    if type(value) is str:
        return [{"role": role, "content": value}]
    if type(value) is list:
        return _turns.turns(value, place)
    raise ValueError(f"{place} must be a string or a list of turns")
