"""chinese_script: simplified or traditional characters."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"script": "simplified"}, "这个国家的语言", None),
        ({"script": "simplified"}, "這個國家的語言", "4 characters are not simplified"),
        ({"script": "traditional"}, "這個國家的語言", None),
        ({"script": "traditional"}, "这个国家的语言", "4 characters are not traditional"),
        ({"script": "traditional"}, "山水", None),
        ({"script": "simplified"}, "no Chinese", "no Chinese characters"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("chinese_script", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"script": "hans"}, "script must be one of 'simplified', 'traditional', got 'hans'"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("chinese_script", "an answer", **args)
    assert reason in found
