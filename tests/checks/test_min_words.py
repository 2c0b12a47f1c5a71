"""min_words: at least n words."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"n": 3}, "don't stop now", None),
        ({"n": 4}, "don't stop now", "3 words, at least 4 wanted"),
        ({"n": 5}, "机器学习好", None),
        ({"n": 6}, "机器学习，好！", "5 words, at least 6 wanted"),
        ({"n": 1}, "…", "0 words, at least 1 wanted"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("min_words", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({}, "needs the arg 'n'"),
        ({"n": -1}, "n cannot be negative"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("min_words", "an answer", **args)
    assert reason in found
