"""How rules decide on a task: the weightiest words of the instruction win."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from instructune.describing.parts import Parts


class Cue(NamedTuple):
    """Words that speak for a task, and how much; most are looked for in the instruction alone."""

    task: str
    weight: float
    pattern: re.Pattern[str]
    anywhere: bool = False


class Rules(NamedTuple):
    """The rules of one language."""

    cues: Sequence[Cue]
    constraint: re.Pattern[str]
    standing: re.Pattern[str]
    action: re.Pattern[str]
    formats: Mapping[str, re.Pattern[str]]


class Verdict(NamedTuple):
    """The task, the words that decided, and whether the instruction itself held any."""

    task: str | None
    evidence: list[str]
    said: bool


def cues(flags: int, table: Mapping[str, Sequence[tuple[float, str]]]) -> list[Cue]:
    """A table of task -> (weight, pattern); `*` before a pattern: looked for anywhere."""
    return [
        Cue(task, weight, re.compile(pattern.removeprefix("*"), flags), pattern.startswith("*"))
        for task, rows in table.items()
        for weight, pattern in rows
    ]


def judge(rules: Rules, split: Parts, prompt: str) -> Verdict:
    """The task whose cues weigh most; the first in the table where two weigh alike."""
    weights: dict[str, float] = {}
    words: dict[str, list[str]] = {}
    said = False
    for cue in rules.cues:
        match = cue.pattern.search(split.instruction)
        said = said or match is not None
        if match is None and cue.anywhere:
            match = cue.pattern.search(prompt)
        if match:
            weights[cue.task] = weights.get(cue.task, 0) + cue.weight
            words.setdefault(cue.task, []).append(" ".join(match.group().split()))
    if not weights:
        return Verdict(None, [], False)
    task = max(weights, key=lambda name: weights[name])
    return Verdict(task, words[task], said)
