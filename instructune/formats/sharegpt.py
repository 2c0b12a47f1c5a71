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
    messages = _turns.system(row) + [_message(turn, i) for i, turn in enumerate(turns)]
    return [{"messages": messages} | _turns.tools(row)]


def _message(turn: Any, index: int) -> dict[str, Any]:
    """A turn with its own other keys, such as a weight, kept."""
    place = f"conversations[{index}]"
    if type(turn) is not dict or type(turn.get("value")) is not str:
        raise ValueError(f"{place} must be an object with from and a string value")
    speaker = turn.get("from")
    if type(speaker) is not str or speaker not in _ROLES:
        raise ValueError(f"{place}.from {speaker!r} unknown ({did_you_mean(str(speaker), _ROLES)})")
    message: dict[str, Any] = {"role": _ROLES[speaker], "content": turn["value"]}
    if speaker == "function_call":
        calls = _turns.tool_calls(turn["value"], place)
        message |= {"content": None, "tool_calls": calls}
    if len(turn) > 2:
        message = _turns.merged(message, turn, ("from", "value"), place)
    return message
