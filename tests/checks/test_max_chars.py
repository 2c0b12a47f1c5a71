"""max_chars: at most n characters."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"n": 5}, "a b,c", None),
        ({"n": 4}, "a b,c", "5 characters, at most 4 allowed"),
        ({"n": 4, "count": "zi"}, "我爱，Python3课！", None),
        ({"n": 3, "count": "zi"}, "我爱，Python3课！", "4 字, at most 3 allowed"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("max_chars", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": 5, "count": "bytes"}, "count must be one of 'all', 'zi', got 'bytes'"),
        ({"n": -5}, "n cannot be negative"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("max_chars", "an answer", **args)
    assert reason in found
