"""The labelled set: figures of both halves, of which the even one was never looked into."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instructune.describing import TASKS, describe

FILE = Path(__file__).parents[1] / "labelled/instructions.jsonl"
KINDS = ("task", "constraint", "demonstration")


def rows(parity):
    with FILE.open(encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines]
    return [row for row in every if int(row["id"]) % 2 == parity]


def f1(gold, given):
    both = sum(a and b for a, b in zip(gold, given, strict=True))
    return 2 * both / (sum(gold) + sum(given))


def test_the_set():
    every = rows(0) + rows(1)
    assert len(every) == len({row["prompt"] for row in every}) == 300
    assert sum(row["language"] == "zh" for row in every) == 150
    assert {row["task"] for row in every} == set(TASKS)
    assert {kind for row in every for kind in row["kind"]} == set(KINDS)


@pytest.mark.parametrize(("parity", "floor"), [(1, 0.98), (0, 0.95)])
def test_tasks(parity, floor):
    half = rows(parity)
    found = [describe(row["prompt"]).task for row in half]
    each = [f1([row["task"] == task for row in half], [t == task for t in found]) for task in TASKS]
    assert sum(each) / len(TASKS) >= floor


@pytest.mark.parametrize(("parity", "floor"), [(1, 0.98), (0, 0.95)])
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(parity, floor, kind):
    half = rows(parity)
    found = [kind in describe(row["prompt"]).kind for row in half]
    assert f1([kind in row["kind"] for row in half], found) >= floor


def test_another_set_by_other_hands(shared):
    """The first turns of MT-bench: 70 % of the rows that no rule was written for."""
    agree = {
        "writing": {"writing", "rewriting"},
        "roleplay": {"dialogue"},
        "reasoning": {"reasoning"},
        "math": {"reasoning"},
        "coding": {"code"},
        "extraction": {"extraction", "classification"},
        "stem": {"qa"},
        "humanities": {"qa"},
    }
    with (shared / "mt_bench/question.jsonl").open(encoding="utf-8") as lines:
        unread = [json.loads(line) for line in lines][1::2]
    right = [describe(row["turns"][0]).task in agree[row["category"]] for row in unread]
    assert sum(right) / len(right) >= 0.7
