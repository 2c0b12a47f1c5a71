"""no_commas: no comma."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, "no comma; none、here", None),
        ({}, "a, b, c", "2 commas"),
        ({}, "甲，乙", "1 commas"),
        ({}, "1,000", "1 commas"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("no_commas", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": 1}, "takes no args, got n"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("no_commas", "an answer", **args)
    assert reason in found
