"""Turns from the spellings found in the wild: other role names, typed content, tools as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from instructune.chats import ROLES, Message, is_plain
from instructune.errors import did_you_mean
from instructune.jsonl import loads

_OTHER_ROLES = {
    "developer": "system",
    "function": "tool",
    "human": "user",
    "prompter": "user",
    "client": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "counselor": "assistant",
}
_REASONING = ("reasoning", "thinking")
_EMPTY: dict[type, Any] = {str: "", list: []}


def optional(row: Mapping[str, Any], name: str, kind: type, what: str) -> Any:
    """A string or list that may be absent or null; ValueError where it is something else."""
    value = row.get(name)
    if value is None:
        return _EMPTY[kind]
    if type(value) is not kind:
        raise ValueError(f"{name} must be {what}")
    return value


def system(row: Mapping[str, Any]) -> list[Message]:
    """The column `system` as a turn; none where it is empty."""
    text = optional(row, "system", str, "a string")
    return [{"role": "system", "content": text}] if text else []


def turns(messages: Sequence[Any], place: str) -> list[Message]:
    """OpenAI-style turns with known roles and their content as one string each."""
    if all(map(is_plain, messages)):
        return list(messages)
    return [_turn(message, f"{place}[{i}]") for i, message in enumerate(messages)]


def _turn(message: Any, place: str) -> Message:
    if type(message) is not dict:
        raise ValueError(f"{place} must be an object with role and content")
    role = message.get("role")
    if role not in ROLES:
        if role is None:
            raise ValueError(f"{place}.role is missing (--format alternating deals them out)")
        if type(role) is not str or role not in _OTHER_ROLES:
            hint = did_you_mean(str(role), ROLES)
            raise ValueError(f"{place}.role {role!r} unknown ({hint})")
        message = message | {"role": _OTHER_ROLES[role]}
    if message.get("tool_calls", "") in (None, []):
        message = _without(message, "tool_calls")
    if message.get("function_call") is not None:  # OpenAI's older spelling
        call = {"type": "function", "function": message["function_call"]}
        message = merged({"tool_calls": [call]}, message, ("function_call",), place)
    content = message.get("content")
    if type(content) is list:
        parts = _joined(content, f"{place}.content")
        return merged(parts, message, ("content",), place)
    if content is None and not message.get("tool_calls"):
        raise ValueError(f"{place}.content is missing")
    return message


def merged(made: Message, turn: Mapping[str, Any], taken: Sequence[str], place: str) -> Message:
    """The other keys of `turn` beside what was `made` of the taken ones."""
    others = _without(turn, *taken)
    if both := others.keys() & made.keys():
        raise ValueError(f"{place} says {min(both)} twice, also by {' and '.join(taken)}")
    return {"role": others.pop("role")} | made | others if "role" in others else made | others


def _without(turn: Mapping[str, Any], *keys: str) -> Message:
    return {key: value for key, value in turn.items() if key not in keys}


def _joined(parts: list[Any], place: str) -> Message:
    """Typed content parts as `content`, `reasoning_content` and `tool_calls`."""
    texts, thoughts, calls = [], [], []
    for i, part in enumerate(parts):
        kind = part.get("type") if type(part) is dict else None
        value = part.get("text", part.get("value")) if type(part) is dict else None
        if type(value) is not str:
            raise ValueError(f"{place}[{i}] of type {kind!r} cannot be read as text")
        if kind == "text":
            texts.append(value)
        elif kind in _REASONING:
            thoughts.append(value)
        elif kind == "tool_call":
            calls += tool_calls(value, f"{place}[{i}]")
        else:
            raise ValueError(f"{place}[{i}] of type {kind!r} cannot be read as text")
    message: Message = {"content": "".join(texts)}
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return message


def tool_calls(text: str, place: str) -> list[dict[str, Any]]:
    """`{"name": …, "arguments": …}` as text, or a list of them, in the shape of OpenAI's."""
    value = _parsed(text, place)
    calls = value if type(value) is list and value else [value]
    return [_call(call, place) for call in calls]


def _call(call: Any, place: str) -> dict[str, Any]:
    if type(call) is not dict or type(call.get("name")) is not str:
        raise ValueError(f"{place} must be a tool call with a name")
    function = {"name": call["name"], "arguments": call.get("arguments", {})}
    return {"type": "function", "function": function} | _without(call, "name", "arguments")


def tools(row: Mapping[str, Any]) -> dict[str, Any]:
    """`{"tools": [...]}` from a list or its JSON text; nothing where there are none."""
    value = row.get("tools")
    if type(value) is str:
        value = _parsed(value, "tools") if value.strip() else None
    return {} if value is None or value == [] else {"tools": value}


def _parsed(text: str, place: str) -> Any:
    try:
        return loads(text)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
