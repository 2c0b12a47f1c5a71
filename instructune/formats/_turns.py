"""Turns from the spellings found in the wild: other role names, typed content, tools as text."""

from __future__ import annotations

from typing import Any

from instructune.errors import did_you_mean
from instructune.jsonl import loads
from instructune.records import ROLES, Message

_OTHER_ROLES = {"developer": "system", "function": "tool"}
_REASONING = ("reasoning", "thinking")


def turn(message: Any, place: str) -> Message:
    """One OpenAI-style turn with a known role and its content as one string."""
    if type(message) is not dict:
        raise ValueError(f"{place} must be an object with role and content")
    role = message.get("role")
    if role in ROLES and type(message.get("content")) is str:
        return message
    if role not in ROLES:
        if role not in _OTHER_ROLES:
            hint = did_you_mean(str(role), ROLES)
            raise ValueError(f"{place}.role {role!r} unknown ({hint})")
        message = message | {"role": _OTHER_ROLES[role]}
    if type(message.get("content")) is list:
        message = {k: v for k, v in message.items() if k != "content"} | _joined(
            message["content"], f"{place}.content"
        )
    elif message.get("content") is None and not message.get("tool_calls"):
        raise ValueError(f"{place}.content is missing")
    return message


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
            calls.append(tool_call(value, f"{place}[{i}]"))
        else:
            raise ValueError(f"{place}[{i}] of type {kind!r} cannot be read as text")
    message: Message = {"content": "".join(texts)}
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return message


def tool_call(text: str, place: str) -> dict[str, Any]:
    """`{"name": …, "arguments": …}` as text, in the shape of an OpenAI tool call."""
    call = _parsed(text, place)
    if type(call) is not dict or type(call.get("name")) is not str:
        raise ValueError(f"{place} must be a tool call with a name")
    return {
        "type": "function",
        "function": {"name": call["name"], "arguments": call.get("arguments", {})},
    }


def tools(value: Any) -> dict[str, Any]:
    """`{"tools": [...]}` from a list or its JSON text; nothing where there are none."""
    if type(value) is str:
        value = _parsed(value, "tools") if value.strip() else []
    return {"tools": value} if value else {}


def _parsed(text: str, place: str) -> Any:
    try:
        return loads(text)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
