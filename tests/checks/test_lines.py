"""lines: so many lines."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 2, "max": 2}, "a\n\nb\n", None),
        ({"max": 1}, "a\nb", "2 lines, at most 1 allowed"),
        ({"min": 3}, "a\nb", "2 lines, at least 3 wanted"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("lines", answer, **args) == reason


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
    found = verdict("lines", "an answer", **args)
    assert reason in found
