"""English rules together: what one of them says of another."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from instructune.constraints import extract
from instructune.formats import ifeval


@pytest.mark.parametrize(
    ("prompt", "checks"),
    [
        ("Just say 'yes' or 'no'.", [("choice", {"options": ["yes", "no"]})]),
        (
            'Say "yes" in at most 3 words.',
            [("max_words", {"n": 3}), ("include_words", {"words": ["yes"]})],
        ),
        ("Tell me about bees.", []),
    ],
)
def test_found(read, prompt, checks):
    assert read(prompt) == checks


def test_the_ifeval_benchmark(shared):
    """Rules were written with its odd rows in view; only this figure was read off the even ones."""
    with (shared / "ifeval/input_data.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    scores = [f1(rows[start::2]) for start in (0, 1)]
    assert scores[0] >= 0.97
    assert scores[1] >= 0.94


def f1(rows):
    """F1 of the instructions of each row, named by check."""
    both = wanted = given = 0
    for row in rows:
        gold = instructions(ifeval.convert(row, Counter())[0]["checks"])
        found = instructions([item.as_check() for item in extract(row["prompt"])])
        both += len(gold & found)
        wanted += len(gold)
        given += len(found)
    return 2 * both / (wanted + given)


def instructions(checks):
    """Checks as the benchmark's instructions: one for words, one for English in one case."""
    names = {item["check"] for item in checks}
    found = set()
    for item in checks:
        name, args = item["check"], item.get("args", {})
        english = name == "response_language" and args["language"] == "en"
        if english and names & {"all_lower", "all_upper"}:
            continue
        if name == "paragraphs" and "first_word" in names and "separator" not in args:
            continue
        found.add("words" if name in ("min_words", "max_words") else name)
    return found
