"""no_punctuation: no punctuation."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, "no marks at all 1+1", None),
        ({}, "end.", "has the mark '.'"),
        ({}, "好。", "has the mark '。'"),
        ({"marks": "!！"}, "calm.", None),
        ({"marks": "!！"}, "好！", "has the mark '！'"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("no_punctuation", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"marks": 1}, "marks must be a string, got 1"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("no_punctuation", "an answer", **args)
    assert reason in found
