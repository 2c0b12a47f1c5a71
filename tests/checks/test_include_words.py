"""include_words: words that must be there."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"words": ["war", "the sea"]}, "War at\nthe  sea", None),
        ({"words": ["war", "peace"]}, "warm water", "does not say 'war', 'peace'"),
        ({"words": ["花粉"]}, "蜜蜂采花粉去", None),
        ({"words": ["Python"]}, "用Python写", None),
        ({"words": ["C++"]}, "in C++, fast", None),
        ({"words": ["a.c"]}, "abc", "does not say 'a.c'"),
        ({"words": ["don't"]}, "I don’t", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("include_words", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"words": []}, "words must be named, none of them empty"),
        ({"words": [" "]}, "words must be named, none of them empty"),
        ({"words": "war"}, "words must be a list of strings, got 'war'"),
        ({"words": [1]}, "words must be a list of strings, got [1]"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("include_words", "an answer", **args)
    assert reason in found
