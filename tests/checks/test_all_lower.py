"""all_lower: small letters throughout."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, "all of it, 42!", None),
        ({}, "all Of it", "capitals, such as 'O'"),
        ({}, "42!", "no small letters"),
        ({}, "ǅ a", "capitals, such as 'ǅ'"),
        ({"language": "en"}, "what is the name of it", None),
        ({"language": "fr"}, "what is the name of it", "is not in French"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("all_lower", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": 1}, "has no arg 'n' (choose from language)"),
        ({"language": "xx"}, "language 'xx' is not known"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("all_lower", "an answer", **args)
    assert reason in found
