"""word_frequency: how often a word stands."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"word": "war", "min": 2, "max": 2}, "War, warm and war", None),
        ({"word": "war", "min": 1}, "warm", "0 times 'war', at least 1 wanted"),
        ({"word": "war", "max": 0}, "war", "1 times 'war', at most 0 allowed"),
        ({"word": "花", "min": 2}, "花花世界", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("word_frequency", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"word": "a"}, "needs min or max"),
        ({"min": 1}, "needs the arg 'word'"),
        ({"word": " ", "min": 1}, "word is empty"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("word_frequency", "an answer", **args)
    assert reason in found
