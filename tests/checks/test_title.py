"""title: a title in marks."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, "<<Of bees>>\nText", None),
        ({}, "<< >> and a << b", "no title in <<>>"),
        ({"marks": "《》"}, "《蜜蜂》", None),
        ({"marks": "#"}, "# Bees\ntext", None),
        ({"marks": "#"}, "#tag here", "no title in #"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("title", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"marks": "**"}, "marks must be one of '<<>>', '《》', '#', got '**'"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("title", "an answer", **args)
    assert reason in found
