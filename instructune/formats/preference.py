"""A better and a worse answer: `chosen` and `rejected` as texts, turns or whole transcripts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from instructune.chats import Message
from instructune.formats import _keys, _speakers, _turns

TAKES = (
    *("prompt", "question", "instruction", "input", "conversations", "system", "tools"),
    *("chosen", "rejected", "chosen_messages", "rejected_messages"),
)
_MARK = re.compile(r"(?:\A|\n\n)(Human|Assistant):[ \t]?")
_ROLES = {"Human": "user", "Assistant": "assistant"}


def recognises(keys: frozenset[str]) -> bool:
    """Both answers, whatever else."""
    return _keys.is_preference(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What both share is the prompt; the chosen answer ends `messages`, `rejected` is the other.

    The prompt may also stand apart: as `prompt`, `question`, `instruction` with `input`, or
    `conversations`. The sides must part at the chosen one's last turn.
    """
    used, prompt = _prompt(row)
    prompt = _turns.system(row) + prompt
    plural = "chosen_messages" in row and "chosen" not in row
    names = ("chosen_messages", "rejected_messages") if plural else ("chosen", "rejected")
    sides = [_side(row[name], name) for name in names]
    chosen, rejected = (_behind(side, prompt) for side in sides)
    shared = _shared(chosen, rejected)
    rest = len(chosen) - shared
    if rest != 1 or len(rejected) == shared or chosen[-1]["role"] != "assistant":
        if not rest or len(rejected) == shared:
            raise ValueError("one of the answers goes on from the other, or they are equal")
        raise ValueError(f"the answers part {rest} turns before the end of {names[0]}, not at it")
    made = {"messages": prompt + chosen, "rejected": rejected[shared:]} | _turns.tools(row)
    used += (*names, "system", "tools")
    return [made | {name: row[name] for name in TAKES if name in row and name not in used}]


def _prompt(row: Mapping[str, Any]) -> tuple[tuple[str, ...], list[Message]]:
    """The columns and turns of a prompt that stands apart from the answers."""
    if "conversations" in row:
        turns = _speakers.messages(row["conversations"], "conversations")
        return ("conversations",), turns
    name = next((name for name in ("prompt", "question", "instruction") if name in row), "")
    if not name:
        return (), []
    value = row[name]
    if type(value) is list:
        return (name,), _turns.turns(value, name)
    if type(value) is not str:
        raise ValueError(f"{name} must be a string or a list of turns")
    if _MARK.match(value):
        return (name,), _transcript(value)
    extra = _turns.optional(row, "input", str, "a string") if name == "instruction" else ""
    used = (name, "input") if name == "instruction" else (name,)
    return used, [{"role": "user", "content": f"{value}\n{extra}" if extra else value}]


def _side(value: Any, name: str) -> list[Message]:
    """An answer as turns: a transcript is taken apart, a single turn or text is the assistant's."""
    if type(value) is str:
        if _MARK.match(value):
            return _transcript(value)
        return [{"role": "assistant", "content": value}]
    turns = value if type(value) is list else [value]
    if turns and all(type(turn) is dict and "from" in turn for turn in turns):
        return _speakers.messages(turns, name)
    return _turns.turns(turns, name)


def _transcript(text: str) -> list[Message]:
    """Turns behind `Human:` and `Assistant:` at the start of a paragraph, edge blanks cut off."""
    parts = _MARK.split(text)[1:]
    return [
        {"role": _ROLES[speaker], "content": said.strip()}
        for speaker, said in zip(parts[::2], parts[1::2], strict=True)
    ]


def _behind(side: list[Message], prompt: list[Message]) -> list[Message]:
    """The turns of a side without the prompt that it may repeat."""
    user = [turn for turn in prompt if turn["role"] != "system"]
    for known in (prompt, user):
        if known and len(side) > len(known) and side[: len(known)] == known:
            return side[len(known) :]
    return side


def _shared(one: list[Message], two: list[Message]) -> int:
    """How many turns both begin with, up to a chosen last turn."""
    count = 0
    for first, second in zip(one, two, strict=False):
        if first != second:
            break
        count += 1
    return count
