"""highlights: so many highlighted parts."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 3, "max": 3}, "*a* and **b c** and ***d***", None),
        ({"min": 1}, "* one\n* two\n2 * 3 * 4", "0 highlights, at least 1 wanted"),
        ({"max": 1}, "*a* *b*", "2 highlights, at most 1 allowed"),
        ({"min": 1}, "****", "0 highlights, at least 1 wanted"),
        ({"min": 1, "max": 1}, "* item with *this* marked", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("highlights", answer, **args) == reason


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
    found = verdict("highlights", "an answer", **args)
    assert reason in found
