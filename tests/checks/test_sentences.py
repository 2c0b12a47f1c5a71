"""sentences: so many sentences."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 2, "max": 2}, "Dr. Smith paid 3.50. He left!", None),
        ({"max": 1}, "One. Two.", "2 sentences, at most 1 allowed"),
        ({"min": 3}, "你好。再见！", "2 sentences, at least 3 wanted"),
        ({"min": 3, "max": 3}, "* one\n* two\n* three", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("sentences", answer, **args) == reason


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
    found = verdict("sentences", "an answer", **args)
    assert reason in found
