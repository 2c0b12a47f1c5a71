"""citations: so many citations."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 4, "max": 4}, "As shown [1], [2, 3] (Smith & Wu, 2020) （王，2019）", None),
        (
            {"min": 1},
            "in 2020 [see](http://a.b) [name] (no year)",
            "0 citations, at least 1 wanted",
        ),
        ({"max": 0}, "yes [12].", "1 citations, at most 0 allowed"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("citations", answer, **args) == reason


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
    found = verdict("citations", "an answer", **args)
    assert reason in found
