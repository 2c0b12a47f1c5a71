"""capital_words: so many words in capitals."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 2, "max": 2}, "I saw a BIG RED bus", None),
        ({"min": 1}, "I am A 12", "0 words in capitals, at least 1 wanted"),
        ({"max": 0}, "NASA", "1 words in capitals, at most 0 allowed"),
        ({"min": 1, "max": 1}, "the WELL-KNOWN one", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("capital_words", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({}, "needs min or max"),
        ({"min": 3, "max": 2}, "min 3 is more than max 2"),
        ({"max": -1}, "min and max cannot be negative"),
        ({"min": True}, "min must be a whole number, got True"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("capital_words", "an answer", **args)
    assert reason in found
