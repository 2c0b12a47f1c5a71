"""paragraphs: so many paragraphs."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 2, "max": 2}, "a\nb\n\n \nc", None),
        ({"max": 1}, "a\n\nb", "2 paragraphs, at most 1 allowed"),
        ({"min": 2, "max": 2, "separator": "stars"}, "a\n\nb\n***\nc", None),
        (
            {"min": 2, "separator": "stars"},
            "a\n\nb ****** c ***d***",
            "1 paragraphs, at least 2 wanted",
        ),
        ({"min": 2, "max": 2, "separator": "line"}, "a\n\nb", None),
        ({"min": 2, "separator": "stars"}, "***\n\na\n***\n***", "1 paragraphs, at least 2 wanted"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("paragraphs", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({}, "needs min or max"),
        ({"min": 3, "max": 2}, "min 3 is more than max 2"),
        ({"max": -1}, "min and max cannot be negative"),
        ({"min": True}, "min must be a whole number, got True"),
        (
            {"min": 1, "separator": "---"},
            "separator must be one of 'blank', 'line', 'stars', got '---'",
        ),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("paragraphs", "an answer", **args)
    assert reason in found
