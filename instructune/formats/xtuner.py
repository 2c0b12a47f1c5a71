"""XTuner rows: `conversation` of {system, input, output}."""

from __future__ import annotations

from typing import Any

from instructune.formats import _turns

TAKES = ("conversation",)


def recognises(keys: frozenset[str]) -> bool:
    """By the one key they all have."""
    return "conversation" in keys and not keys & {"messages", "conversations"}


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """input is the user's turn, output the assistant's; a system prompt where one is given."""
    turns = row["conversation"]
    if type(turns) is not list or not all(type(turn) is dict for turn in turns):
        raise ValueError("conversation must be a list of objects")
    messages: list[dict[str, Any]] = []
    for turn in turns:
        messages += _turns.system(turn)
        for key, role in (("input", "user"), ("output", "assistant")):
            if turn.get(key) is not None:
                messages.append({"role": role, "content": turn[key]})
    return [{"messages": messages}]
