"""ends_with: how the answer ends."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"text": "the end."}, 'It is\n"The  end."', None),
        ({"text": "published"}, "It got published.", None),
        ({"text": "published"}, "It got published twice.", "does not end with 'published'"),
        ({"text": "the end."}, "The end. Or not", "does not end with 'the end.'"),
        ({"text": "微笑。"}, "还有微笑。”", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("ends_with", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"text": " "}, "text is empty"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("ends_with", "an answer", **args)
    assert reason in found
