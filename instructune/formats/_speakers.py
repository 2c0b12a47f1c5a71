"""Turns in the spelling of ShareGPT: {from, value}, and who its speakers are."""

from __future__ import annotations

from typing import Any

from instructune.chats import Message
from instructune.errors import did_you_mean
from instructune.formats import _turns

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


def messages(turns: Any, place: str) -> list[Message]:
    """human is the user, gpt the assistant, function_call its call, observation the tool."""
    if type(turns) is not list:
        raise ValueError(f"{place} must be a list of turns")
    return [_message(turn, f"{place}[{i}]") for i, turn in enumerate(turns)]


def _message(turn: Any, place: str) -> dict[str, Any]:
    """A turn with its own other keys, such as a weight, kept."""
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
