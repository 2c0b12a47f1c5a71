"""letter_frequency: how often a letter stands."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"letter": "O", "min": 2, "max": 2}, "Oslo", None),
        ({"letter": "!", "min": 2}, "wow!", "1 times '!', at least 2 wanted"),
        ({"letter": "p", "max": 0}, "stop", "1 times 'p', at most 0 allowed"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("letter_frequency", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"letter": "ab", "min": 1}, "letter must be a single character"),
        ({"letter": " ", "min": 1}, "letter must be a single character"),
        ({"letter": "a"}, "needs min or max"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("letter_frequency", "an answer", **args)
    assert reason in found
