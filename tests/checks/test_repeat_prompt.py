"""repeat_prompt: the request, then the answer."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"text": "Write a poem."}, "write a  poem.\nRoses", None),
        ({"text": "Write a poem."}, "Roses. Write a poem.", "does not start with the request"),
        ({"text": "Write a poem."}, '"Write a poem."', "only repeats the request"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("repeat_prompt", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"text": ""}, "text is empty"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("repeat_prompt", "an answer", **args)
    assert reason in found
