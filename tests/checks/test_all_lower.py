"""all_lower: small letters throughout."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, "all of it, 42!", None),
        ({}, "all Of it", "capitals, such as 'O'"),
        ({}, "42!", "no small letters"),
        ({}, "ǅ a", "capitals, such as 'ǅ'"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("all_lower", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": 1}, "takes no args, got n"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("all_lower", "an answer", **args)
    assert reason in found
