"""line_words: every line is measured."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 5, "max": 5}, "床前明月光，\n疑是地上霜。", None),
        ({"min": 5, "max": 5}, "床前明月光\n\n疑是霜", "line 2 has 3 words, at least 5 wanted"),
        ({"max": 2}, "one two\nthree four five", "line 2 has 3 words, at most 2 allowed"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("line_words", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({}, "needs min or max"),
        ({"min": 3, "max": 2}, "min 3 is more than max 2"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("line_words", "an answer", **args)
    assert reason in found
