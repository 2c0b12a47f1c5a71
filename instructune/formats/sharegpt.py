"""ShareGPT rows: `conversations` of {from, value}, optional `system` and `tools`."""

from __future__ import annotations

from typing import Any

from instructune.errors import did_you_mean
from instructune.formats import _turns

TAKES = ("conversations", "system", "tools")
_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "system": "system",
    "observation": "tool",
    "tool": "tool",
    "function_call": "assistant",
}


def recognises(keys: frozenset[str]) -> bool:
    """By the one key they all have."""
    return "conversations" in keys


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """human is the user, gpt the assistant, function_call its call, observation the tool."""
    turns = row["conversations"]
    if type(turns) is not list:
        raise ValueError("conversations must be a list of turns")
    messages = [_message(turn, f"conversations[{i}]") for i, turn in enumerate(turns)]
    if row.get("system"):
        messages.insert(0, {"role": "system", "content": row["system"]})
    return [{"messages": messages} | _turns.tools(row.get("tools"))]


def _message(turn: Any, place: str) -> dict[str, Any]:
    if type(turn) is not dict or type(turn.get("value")) is not str:
        raise ValueError(f"{place} must be an object with from and a string value")
    speaker = turn.get("from")
    if speaker not in _ROLES:
        raise ValueError(f"{place}.from {speaker!r} unknown ({did_you_mean(str(speaker), _ROLES)})")
    if speaker == "function_call":
        call = _turns.tool_call(turn["value"], place)
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"role": _ROLES[speaker], "content": turn["value"]}
