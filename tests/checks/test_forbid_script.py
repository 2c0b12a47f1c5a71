"""forbid_script: characters of a kind."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"kinds": ["latin", "digits"]}, "今天下雨，一共三天。", None),
        ({"kinds": ["latin"]}, "用Python写", "has latin, such as 'P'"),
        ({"kinds": ["latin"]}, "用ｐ写", "has latin, such as 'ｐ'"),
        ({"kinds": ["digits"]}, "共３天", "has digits, such as '３'"),
        ({"kinds": ["chinese"]}, "only 中", "has chinese, such as '中'"),
        ({"kinds": ["chinese"]}, "カナ only", None),
        ({"kinds": ["emoji"]}, "fine 🎉", "has emoji, such as '🎉'"),
        ({"kinds": ["emoji"]}, "fine ★? 5 × 3 © 2 → 1", "has emoji, such as '★'"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("forbid_script", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({}, "needs the arg 'kinds'"),
        ({"kinds": []}, "kinds must be named"),
        ({"kinds": ["greek"]}, "kinds must be any of latin, digits, chinese, emoji, got 'greek'"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("forbid_script", "an answer", **args)
    assert reason in found
