"""bullet_points: so many bullet points."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 3, "max": 3}, "* a\n- b\n  • c\n1. d", None),
        ({"max": 1}, "* a\n* b", "2 bullet points, at most 1 allowed"),
        ({"min": 1}, "---\n*emphasis* here\n***\n**bold**", "0 bullet points, at least 1 wanted"),
        ({"min": 2, "max": 2}, "* **Bold** start\n- *em* start", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("bullet_points", answer, **args) == reason


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
    found = verdict("bullet_points", "an answer", **args)
    assert reason in found
