"""regex: a regular expression."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"pattern": "\\d{3}"}, "call 555 now", None),
        ({"pattern": "\\d{3}", "whole": True}, "call 555 now", "does not match the pattern"),
        ({"pattern": "\\d{3}", "whole": True}, " 555\n", None),
        (
            {"pattern": "(a+)+$"},
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
            "the pattern took longer than 1 s",
        ),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("regex", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"pattern": "("}, "is no regular expression"),
        ({"pattern": 1}, "pattern must be a string, got 1"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("regex", "an answer", **args)
    assert reason in found
