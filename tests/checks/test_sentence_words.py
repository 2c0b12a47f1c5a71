"""sentence_words: every sentence is measured."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"max": 3}, "One two three. Four five!", None),
        ({"max": 2}, "One two. Three four five.", "sentence 2 has 3 words, at most 2 allowed"),
        ({"min": 4}, "今天下雨。明天晴。", "sentence 2 has 3 words, at least 4 wanted"),
        ({"max": 9}, "...", "no sentences"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("sentence_words", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({}, "needs min or max"),
        ({"min": 3, "max": 2}, "min 3 is more than max 2"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("sentence_words", "an answer", **args)
    assert reason in found
