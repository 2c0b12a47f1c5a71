"""numbered_items: numbers at the start of lines."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"min": 2, "max": 2}, "1. one\n2. two\n", None),
        ({"min": 2, "max": 2}, "Intro 3. x\n1) one\n  2) two\n- three", None),
        ({"min": 3}, "一、甲\n（二）乙\n3、丙", None),
        ({"max": 0}, "2024 was good\n3.5 per cent\n1.", None),
        ({"min": 1}, "- one\n* two", "0 numbered items, at least 1 wanted"),
        ({"max": 1}, "**1. One**\n**2. Two**", "2 numbered items, at most 1 allowed"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("numbered_items", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({}, "needs min or max"),
        ({"min": 3, "max": 2}, "min 3 is more than max 2"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("numbered_items", "an answer", **args)
    assert reason in found
