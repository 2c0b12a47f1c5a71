"""min_chars: at least n characters."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"n": 5}, "a b,c", None),
        ({"n": 6}, " a b,c ", "5 characters, at least 6 wanted"),
        ({"n": 4, "count": "zi"}, "我爱，Python3课！", None),
        ({"n": 5, "count": "zi"}, "我爱，Python3课！", "4 字, at least 5 wanted"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("min_chars", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": -5}, "n cannot be negative"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("min_chars", "an answer", **args)
    assert reason in found
