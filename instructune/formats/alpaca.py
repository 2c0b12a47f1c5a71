"""Alpaca rows: `instruction`, optional `input`, `output`, `system` and `history`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _turns

TAKES = ("instruction", "input", "output", "system", "history")


def recognises(keys: frozenset[str]) -> bool:
    """An instruction and at least one of its companions, where nothing judges the answer."""
    companions = "output" in keys or "input" in keys
    return "instruction" in keys and companions and not _keys.is_judged(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Instruction and input, joined by a line end, are the user's turn; output is the answer."""
    messages = _turns.system(row)
    for pair in _turns.optional(row, "history", list, "a list of [question, answer] pairs"):
        if type(pair) is not list or len(pair) != 2:
            raise ValueError("history must be a list of [question, answer] pairs")
        messages.append({"role": "user", "content": pair[0]})
        messages.append({"role": "assistant", "content": pair[1]})
    instruction = row["instruction"]
    if type(instruction) is not str:
        raise ValueError("instruction must be a string")
    extra = _turns.optional(row, "input", str, "a string")
    messages.append(
        {"role": "user", "content": f"{instruction}\n{extra}" if extra else instruction}
    )
    if row.get("output") is not None:
        messages.append({"role": "assistant", "content": row["output"]})
    return [{"messages": messages}]
