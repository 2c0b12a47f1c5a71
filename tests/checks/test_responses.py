"""responses: different answers."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, "a\n******\nb", None),
        ({}, "a\n******\nA ", "the answers are alike"),
        ({}, "a", "1 answers parted by ******, 2 wanted"),
        ({}, "a\n***\nb", "1 answers parted by ******, 2 wanted"),
        ({"n": 3}, "a ****** b ****** c", None),
        ({}, "******\na\n******\nb\n******", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("responses", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": 1}, "n must be 2 or more"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("responses", "an answer", **args)
    assert reason in found
