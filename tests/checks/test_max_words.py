"""max_words: at most n words."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"n": 3}, "don't stop now", None),
        ({"n": 2}, "don't stop now", "3 words, at most 2 allowed"),
        ({"n": 5}, "机器学习好", None),
        ({"n": 4}, "机器学习好", "5 words, at most 4 allowed"),
        ({"n": 0}, "a", "1 words, at most 0 allowed"),
        ({"n": 0}, "…", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("max_words", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({}, "needs the arg 'n'"),
        ({"n": -1}, "n cannot be negative"),
        ({"n": "3"}, "n must be a whole number, got '3'"),
        ({"max": 3}, "has no arg 'max'"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("max_words", "an answer", **args)
    assert reason in found
