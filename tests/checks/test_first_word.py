"""first_word: the first word of a paragraph."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"word": "Weekend"}, '"**weekend** plans', None),
        ({"word": "it", "paragraph": 2}, "a\n\n\n\nit is", None),
        ({"word": "it", "paragraph": 2}, "a\n\nitem", "paragraph 2 does not start with 'it'"),
        ({"word": "it", "paragraph": 3}, "it\n\nit", "has no paragraph 3"),
        ({"word": "春天"}, "春天来了", None),
        ({"word": "a", "paragraphs": 2}, "a\n\nb", None),
        ({"word": "a", "paragraphs": 2}, "a\n\nb\n\nc", "3 paragraphs, 2 wanted"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("first_word", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"word": ""}, "word is empty"),
        ({"word": "a", "paragraph": 0}, "paragraph counts from 1"),
        ({"word": "a", "paragraph": 3, "paragraphs": 2}, "there is no paragraph 3 of 2"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("first_word", "an answer", **args)
    assert reason in found
