"""all_upper: capitals throughout."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, "ALL OF IT, 42!", None),
        ({}, "ALL Of IT", "small letters, such as 'f'"),
        ({}, "42!", "no capitals"),
        ({}, "中文", "no capitals"),
        ({"language": "en"}, "WHAT IS THE NAME OF IT", None),
        ({"language": "de"}, "WHAT IS THE NAME OF IT", "is not in German"),
        ({"language": "ru"}, "ВСЁ ХОРОШО", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("all_upper", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": 1}, "has no arg 'n' (choose from language)"),
        ({"language": "xx"}, "language 'xx' is not known"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("all_upper", "an answer", **args)
    assert reason in found
