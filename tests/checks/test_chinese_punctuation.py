"""chinese_punctuation: full-width marks beside Chinese."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, "今天下雨，明天3.5度（晴）。", None),
        ({}, "他说：Hello, world!", None),
        ({}, "今天下雨,明天晴。", "has the mark ',' beside Chinese"),
        ({}, "今天下雨.", "has the mark '.' beside Chinese"),
        ({}, "see (今天)", "has the mark '(' beside Chinese"),
        ({}, "Hello.", "no Chinese characters"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("chinese_punctuation", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": 1}, "takes no args, got n"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("chinese_punctuation", "an answer", **args)
    assert reason in found
