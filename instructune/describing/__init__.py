"""What an instruction is: its task, its kinds and its parts, each with the words that told.

English and Chinese, by rules that are read from top to bottom; nothing is learned or guessed.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from instructune.constraints import TYPED, Found, extract
from instructune.describing import chinese, english
from instructune.describing.parts import Parts, demonstrated, parts
from instructune.describing.rules import Rules, Verdict, judge

TASKS = (
    "classification",
    "extraction",
    "qa",
    "translation",
    "summarisation",
    "dialogue",
    "code",
    "writing",
    "rewriting",
    "reasoning",
    "brainstorming",
)

_INSTRUCTION = 1000  # characters in which the job is said
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]+")


class Description(NamedTuple):
    """What the rules say of a prompt; the task is None where none of them applies."""

    task: str | None
    kind: list[str]
    structure: dict[str, Any]
    constraints: list[Found]


def describe(prompt: str) -> Description:
    """Task, kinds, structure and verifiable constraints of a prompt."""
    rules = chinese.RULES if _is_chinese(prompt) else english.RULES
    split = parts(prompt)
    split = split._replace(instruction=split.instruction[:_INSTRUCTION])
    example = demonstrated(prompt)
    verdict = judge(rules, split, prompt)
    constraints = extract(prompt)
    standing = rules.standing.search(split.instruction)
    stated = _states_a_job(split, example, standing is not None, verdict)
    demands = _demands(rules, split.instruction, constraints)
    kind = {
        "task": stated,
        "constraint": bool(demands),
        "demonstration": example is not None,
    }
    task = "dialogue" if standing else verdict.task
    structure = _structure(rules, split, verdict, demands, constraints, example)
    return Description(
        task, [name for name, holds in kind.items() if holds], structure, constraints
    )


def _is_chinese(prompt: str) -> bool:
    """Whether more of the words are Chinese characters; the first line decides where both are."""
    head = prompt.strip().split("\n")[0]
    text = head if _HAN.search(head) or len(head) > 12 else prompt
    return len(_HAN.findall(text)) > len(_LATIN.findall(text))


def _demands(rules: Rules, instruction: str, constraints: list[Found]) -> list[str]:
    """The words of each constraint, and the sentences that state one which no check can verify."""
    stated = [item.evidence for item in constraints]
    for sentence in _SENTENCE.split(instruction):
        plain = " ".join(sentence.translate(TYPED).split())
        if rules.constraint.search(sentence) and not any(words in plain for words in stated):
            stated.append(plain)
    return stated


def _states_a_job(split: Parts, example: str | None, standing: bool, verdict: Verdict) -> bool:
    """Whether the job is said in words: bare examples and standing orders say none."""
    if standing:
        return False
    return example is None or split.instruction != "" and verdict.said


def _structure(
    rules: Rules,
    split: Parts,
    verdict: Verdict,
    demands: list[str],
    constraints: list[Found],
    example: str | None,
) -> dict[str, Any]:
    """The parts of the instruction, with the words that decided under `evidence`; none empty."""
    action = rules.action.search(split.instruction)
    found = {
        "action": action["action"].lower() if action else None,
        "object": action["object"].strip(" ，,。.：:") if action else None,
        "input": split.input,
        "constraints": demands,
        "output_format": _output_format(rules, split.instruction, constraints),
        "evidence": {
            key: value
            for key, value in (("task", verdict.evidence), ("demonstration", example))
            if value
        },
    }
    return {key: value for key, value in found.items() if value}


_FORMATS = {
    "json_format": "json",
    "bullet_points": "bullet points",
    "choice": "choice",
    "title": "titled text",
    "sections": "sections",
}


def _output_format(rules: Rules, instruction: str, constraints: list[Found]) -> str | None:
    """The form that the prompt asks for, from its constraints or by name."""
    of_checks = (_FORMATS[item.check] for item in constraints if item.check in _FORMATS)
    named = (name for name, pattern in rules.formats.items() if pattern.search(instruction))
    return next(of_checks, next(named, None))
