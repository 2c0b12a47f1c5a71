"""Prompts for several turns without answers, as in MT-Bench: `question_id` and `turns`."""

from __future__ import annotations

from collections import Counter
from typing import Any

TAKES = ("turns", "question_id", "reference")


def recognises(keys: frozenset[str]) -> bool:
    """The two keys of MT-Bench's questions."""
    return {"question_id", "turns"} <= keys


def convert(row: dict[str, Any], notes: Counter[str]) -> list[dict[str, Any]]:
    """The first turn is the prompt; `turns` stays, for the later ones need the answer before.

    `reference`, an answer for each turn, gives the reference answer to the first.
    """
    turns = row["turns"]
    if type(turns) is not list or not turns or not all(type(turn) is str for turn in turns):
        raise ValueError("turns must be a list of strings")
    made: dict[str, Any] = {"messages": [{"role": "user", "content": turns[0]}]}
    if type(row.get("question_id")) in (str, int):
        made = {"id": str(row["question_id"])} | made
    answers = row.get("reference")
    if type(answers) is list and answers and type(answers[0]) is str and answers[0]:
        made["messages"].append({"role": "assistant", "content": answers[0]})
    if len(turns) > 1:
        notes["the first of several prompts is asked, all stay in turns"] += 1
    others = {key: row[key] for key in ("turns", "question_id", "reference") if key in row}
    return [made | others]
