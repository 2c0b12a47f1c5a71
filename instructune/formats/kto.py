"""Answers judged one by one: a chat with `kto_tag`, or with a true or false `label`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _speakers, _turns

TAKES = (
    *("messages", "conversations", "prompt", "completion", "instruction", "input", "output"),
    *("system", "tools", "kto_tag", "label"),
)


def recognises(keys: frozenset[str]) -> bool:
    """By `kto_tag`; a chat's `label` may be anything, so it needs `--format kto`."""
    return _keys.is_kto(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The judgement becomes `desirable`; a second one of the two columns passes through."""
    used, messages = _chat(row)
    name = "kto_tag" if "kto_tag" in row else "label"
    judgement = row[name]
    if type(judgement) is str and judgement.lower() in ("true", "false"):
        judgement = judgement.lower() == "true"  # as tables spell it
    if type(judgement) is int and judgement in (0, 1):
        judgement = judgement == 1
    if type(judgement) is not bool:
        raise ValueError(f"{name} must be true or false")
    made = {"messages": messages, "desirable": judgement} | _turns.tools(row)
    used += (name, "system", "tools")
    return [made | {key: row[key] for key in TAKES if key in row and key not in used}]


def _chat(row: dict[str, Any]) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """The columns that hold the chat, and its turns, of which the last must be the answer."""
    messages = _turns.system(row)
    if "messages" in row:
        if type(row["messages"]) is not list:
            raise ValueError("messages must be a list of turns")
        used: tuple[str, ...] = ("messages",)
        messages += _turns.turns(row["messages"], "messages")
    elif "conversations" in row:
        used = ("conversations",)
        messages += _speakers.messages(row["conversations"], "conversations")
    elif "instruction" in row:
        used = ("instruction", "input", "output")
        extra = _turns.optional(row, "input", str, "a string")
        asked = f"{row['instruction']}\n{extra}" if extra else row["instruction"]
        messages += _pair(asked, row["output"])
    else:
        used = ("prompt", "completion")
        prompt, answer = row["prompt"], row["completion"]
        if type(prompt) is list and type(answer) is list:
            messages += _turns.turns(prompt, "prompt") + _turns.turns(answer, "completion")
        else:
            messages += _pair(prompt, answer)
    if not messages or messages[-1]["role"] != "assistant":
        raise ValueError("the last turn must be the answer that is judged")
    return used, messages


def _pair(prompt: Any, answer: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
