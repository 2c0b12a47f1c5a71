"""starts_with: how the answer starts."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"text": "Dear  Sir"}, "**dear sir**, hello", None),
        ({"text": "Dear Sir"}, "My dear sir", "does not start with 'Dear Sir'"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("starts_with", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"text": '""'}, "text is empty"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("starts_with", "an answer", **args)
    assert reason in found
