"""placeholders: so many placeholders."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 2, "max": 2}, "Dear [name], at [your address]", None),
        ({"min": 1}, "[] [ ] [x] [link](http://a.b)", "0 placeholders, at least 1 wanted"),
        ({"min": 1, "max": 1}, "[姓名]", None),
        ({"max": 0}, "[name]", "1 placeholders, at most 0 allowed"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("placeholders", answer, **args) == reason


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
    found = verdict("placeholders", "an answer", **args)
    assert reason in found
