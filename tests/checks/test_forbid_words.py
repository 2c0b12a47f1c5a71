"""forbid_words: words that must not be there."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"words": ["war", "the sea"]}, "warm overseas", None),
        ({"words": ["war", "name"]}, "What is in a Name? WAR", "says 'war', 'name'"),
        ({"words": ["的"]}, "我的书", "says '的'"),
        ({"words": ["name"]}, "names renamed", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("forbid_words", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"words": []}, "words must be named, none of them empty"),
        ({}, "needs the arg 'words'"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("forbid_words", "an answer", **args)
    assert reason in found
