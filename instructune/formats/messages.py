"""OpenAI chat rows: `messages` of {role, content, tool_calls}, and `tools`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _turns

TAKES = ("messages", "tools")


def recognises(keys: frozenset[str]) -> bool:
    """By the one key they all have, where nothing judges the answer."""
    return "messages" in keys and not _keys.is_judged(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Roles and content in their plain spelling; typed text parts joined."""
    messages = row["messages"]
    if type(messages) is not list:
        raise ValueError("messages must be a list of turns")
    made = {"messages": _turns.turns(messages, "messages")}
    return [made | _turns.tools(row) if "tools" in row else made]
