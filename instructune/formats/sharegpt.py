"""ShareGPT rows: `conversations` of {from, value}, optional `system` and `tools`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _speakers, _turns

TAKES = ("conversations", "system", "tools")


def recognises(keys: frozenset[str]) -> bool:
    """By the one key they all have, where nothing judges the answer."""
    return "conversations" in keys and not _keys.is_judged(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """human is the user, gpt the assistant, function_call its call, observation the tool."""
    messages = _turns.system(row) + _speakers.messages(row["conversations"], "conversations")
    return [{"messages": messages} | _turns.tools(row)]
