"""length: bounds on prompt and answer, in characters and words."""

from __future__ import annotations

from typing import Any

import pytest

from instructune.errors import UserError
from instructune.filters.length import Filter, Options
from instructune.records import Record


def chat(prompt: str, answer: str | None = None) -> Record:
    turns = [{"role": "user", "content": prompt}]
    if answer is not None:
        turns.append({"role": "assistant", "content": answer})
    return Record({"id": "1", "messages": turns})


@pytest.mark.parametrize(
    ("options", "record", "reason"),
    [
        ({"min_prompt_chars": 3}, chat("abc"), None),
        ({"min_prompt_chars": 4}, chat("abc"), "prompt shorter than 4 chars"),
        ({"max_prompt_chars": 3}, chat("abc"), None),
        ({"max_prompt_chars": 2}, chat("abc"), "prompt longer than 2 chars"),
        ({"max_prompt_chars": 0}, chat("a"), "prompt longer than 0 chars"),
        ({"min_answer_words": 2}, chat("a b c", "one"), "answer shorter than 2 words"),
        ({"max_answer_words": 2}, chat("a", "不超过"), "answer longer than 2 words"),
        ({"max_answer_words": 3}, chat("a", "不超过"), None),
        ({"min_answer_words": 2}, chat("no answer to measure"), None),
        ({"max_answer_chars": 1}, Record({"id": "1", "text": "t", "label": 0.5}), None),
        (
            {"max_answer_chars": 1, "min_prompt_words": 9},
            chat("a", "bb"),
            "prompt shorter than 9 words",
        ),
    ],
)
def test_bounds(options: dict[str, Any], record: Record, reason: str | None):
    assert Filter(Options(**options))(record) == reason


def test_it_wants_a_bound():
    with pytest.raises(UserError, match="needs a bound"):
        Options()
