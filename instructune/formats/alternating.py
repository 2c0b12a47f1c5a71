"""Turns without roles, user and assistant taking turns; only by `--format`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _turns

TAKES = ("messages", "turns", "dialogue", "dialog", "system")
_TEXTS = ("content", "message", "text", "value", "utterance")


def recognises(keys: frozenset[str]) -> bool:
    """Never: who speaks is for the user to say."""
    return False


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The first turn is the user's; a turn is a string, or an object whose other keys stay."""
    name = next((name for name in TAKES[:-1] if name in row), TAKES[0])
    turns = row[name]
    if type(turns) is not list:
        raise ValueError(f"{name} must be a list of turns")
    messages = _turns.system(row)
    for i, turn in enumerate(turns):
        role = "assistant" if i % 2 else "user"
        messages.append({"role": role} | _said(turn, f"{name}[{i}]"))
    others = {key: row[key] for key in TAKES[:-1] if key in row and key != name}
    return [{"messages": messages} | others]


def _said(turn: Any, place: str) -> dict[str, Any]:
    if type(turn) is str:
        return {"content": turn}
    if type(turn) is not dict:
        raise ValueError(f"{place} must be a string or an object")
    if "role" in turn:
        raise ValueError(f"{place} says its role; choose --format messages")
    key = next((key for key in _TEXTS if type(turn.get(key)) is str), None)
    if key is None:
        raise ValueError(f"{place} has no text ({', '.join(_TEXTS)})")
    return _turns.merged({"content": turn[key]}, turn, (key,), place)
