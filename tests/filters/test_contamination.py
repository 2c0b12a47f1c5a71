"""contamination: runs of 13 words shared with evaluation rows, and which row each touches."""

from __future__ import annotations

import random

import pytest

from instructune.errors import UserError
from instructune.filters.contamination import Filter, Options
from instructune.records import Record

WORDS = [f"w{i}" for i in range(2000)]


def text(value: str) -> Record:
    return Record({"id": "1", "text": value})


@pytest.fixture
def against(write, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rows = [
        {"id": "long", "text": " ".join(WORDS[:20])},
        {"id": "short", "prompt": "What is the capital of France?", "completion": "Paris"},
        {"id": "zh", "text": "一二三四五六七八九十甲乙丙丁"},
    ]
    write("test.jsonl", rows)
    return Filter(Options(("test.jsonl",)))


@pytest.mark.parametrize(
    ("value", "touched"),
    [
        ("before " + " ".join(WORDS[3:16]) + " after", "test.jsonl:1"),
        ("before " + " ".join(WORDS[3:15]) + " after", None),
        (" ".join(WORDS[3:16]).upper().replace(" ", ", "), "test.jsonl:1"),
        (" ".join(WORDS[3:9] + ["x"] + WORDS[9:16]), None),
        ("what is the capital of France: Paris!", "test.jsonl:2"),
        ("Tell me: what is the capital of France? Paris", None),
        ("前言。二三四五六七，八九十甲乙丙丁", "test.jsonl:3"),
        ("三四五六七八九十甲乙丙丁", None),
        ("!", None),
    ],
)
def test_shared_runs(against, value, touched):
    reason = against(text(value))
    assert (reason and reason.facts["touches"]) == touched
    assert reason is None or reason == "shares text with evaluation rows"


def chat(*said: str) -> dict:
    roles = ("system", "user", "assistant")
    turns = [{"role": role, "content": text} for role, text in zip(roles, said, strict=True)]
    return {"messages": turns}


def test_how_a_task_is_put_is_not_what_is_asked(write):
    task = "Answer with one word of the list and nothing else, whatever the customer may say: "
    system = "You are the friendly assistant of a shop and always answer in a short sentence."
    rows = [chat(system, task + word, word) for word in WORDS[:12]]
    found = Filter(Options((write("t.jsonl", rows),)))
    assert found(Record({"id": "1"} | chat(system, task + "card", "yes"))) is None
    few = Filter(Options((write("f.jsonl", rows[:10] + rows[:10]),)))  # no more than ten of them
    assert few(Record({"id": "1"} | chat(system, task + "card", "yes")))
    assert few(Record({"id": "1"} | chat(system, "hi", "yes"))) is None
    strict = Filter(Options((write("g.jsonl", rows[:2]),), common=1))
    assert strict(Record({"id": "1"} | chat(system, task + "card", "yes"))) is None
    with pytest.raises(UserError, match="must be at least 1"):
        Options(("t.jsonl",), common=0)


def test_other_sizes(write):
    found = Filter(Options((write("t.jsonl", [{"text": "a b c d"}]),), n=3))
    assert found(text("x b c d"))
    assert not found(text("x c d"))


def test_planted_overlaps_are_all_found_and_no_others(write):
    draw = random.Random(0)
    rows = [" ".join(draw.choices(WORDS, k=60)) for _ in range(1000)]
    path = write("eval.jsonl", [{"text": row} for row in rows])
    found = Filter(Options((path,)))
    for number, row in enumerate(rows):
        start = draw.randrange(48)
        run = row.split()[start : start + 13]
        filler = draw.choices(WORDS, k=40)
        place = draw.randrange(40)
        reason = found(text(" ".join(filler[:place] + run + filler[place:])))
        assert reason is not None, number
        assert reason.facts["touches"] == f"{path}:{number + 1}"
    clean = [" ".join(draw.choices(WORDS, k=60)) for _ in range(10_000)]
    assert not any(found(text(row)) for row in clean)


def test_files_that_are_not_there():
    with pytest.raises(UserError, match="no such file"):
        Filter(Options(("nowhere.jsonl",)))
    with pytest.raises(UserError, match="at least 2"):
        Options(("x",), n=1)
