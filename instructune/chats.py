"""Chat turns: who may speak, and what each turn must hold."""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]

ROLES = ("system", "user", "assistant", "tool")
_SPEAKERS = frozenset(["system", "user", "assistant"])


def check_messages(messages: Any) -> str | None:
    """Say what is wrong with a chat, naming the turn, or None."""
    if type(messages) is not list or not messages:
        return "must be a non-empty list of turns"
    before = None
    for i, message in enumerate(messages):
        if not is_plain(message) and (reason := _check_turn(message, before)):
            return f"[{i}]{reason}"
        before = message
    last = messages[-1]
    if last["role"] == "system" and all(message["role"] == "system" for message in messages):
        return "has no user or assistant turn"
    if last["role"] == "assistant" and not last.get("content") and not last.get("tool_calls"):
        return "ends in an empty answer"
    return None


def is_plain(message: Any) -> bool:
    """Whether a turn is a string said by somebody, and no more: what nearly all are."""
    try:
        return (
            message["role"] in _SPEAKERS
            and type(message["content"]) is str
            and len(message) == 2
            and type(message) is dict
        )
    except (TypeError, KeyError):
        return False


def _check_turn(message: Any, before: Message | None) -> str | None:
    if type(message) is not dict:
        return " must be an object with role and content"
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        return f".role {role!r} is not one of {', '.join(ROLES)}"
    calls = message.get("tool_calls")
    if type(content) is not str and not (content is None and calls):
        return ".content must be a string"
    if calls is not None and (reason := _check_calls(calls, role)):
        return f".tool_calls {reason}"
    if role == "tool" and not _may_answer(before):
        return " is a tool's answer without a call before it"
    return None


def _may_answer(before: Message | None) -> bool:
    return before is not None and (before["role"] == "tool" or bool(before.get("tool_calls")))


def _check_calls(calls: Any, role: str) -> str | None:
    if role != "assistant":
        return f"belong to the assistant, not the {role}"
    if type(calls) is not list or not calls:
        return "must be a non-empty list"
    for call in calls:
        function = call.get("function") if type(call) is dict else None
        if type(function) is not dict or type(function.get("name")) is not str:
            return "each need function.name"
        if type(function.get("arguments", {})) not in (str, dict):
            return "each need function.arguments as JSON text or an object"
    return None
