"""refusals: what the filter and the metric take for a refusal."""

from __future__ import annotations

import pytest

from instructune.refusals import disclaims, refuses


@pytest.mark.parametrize(
    ("answer", "refused", "disclaimed"),
    [
        ("I'm sorry, but I can't help with that.", True, False),
        ("Sorry, I’m not able to share private data.", True, False),
        ("很抱歉，我无法回答这个问题。", True, False),
        ("As an AI language model, I don't have feelings.", False, True),
        ("作为一个人工智能，我没有个人观点。", False, True),
        ("I'm sorry to hear that you lost your keys. Try the door.", False, False),
        ("", False, False),
    ],
)
def test_verdict(answer, refused, disclaimed):
    assert (refuses(answer), disclaims(answer)) == (refused, disclaimed)


def test_only_the_beginning_counts():
    late = "Here it is. " * 30 + "I'm sorry, but I can't help with more."
    assert not refuses(late)
    assert refuses(late, within=1000)
