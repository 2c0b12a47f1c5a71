"""text: a text and nothing that asks for an answer."""

from __future__ import annotations

import pytest

from instructune.formats import text


def test_convert():
    assert text.convert({"text": " as it is\n", "x": 1}) == [{"text": " as it is\n"}]
    with pytest.raises(KeyError, match="text"):
        text.convert({"body": "x"})


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"text"}, True),
        ({"text", "positive", "meta"}, True),
        ({"text", "label", "meta"}, False),
        ({"text", "intent"}, False),
        ({"text", "tokens", "tags"}, False),
        ({"text", "tokens"}, True),
        ({"text", "message_id", "replies"}, False),
        ({"text", "head", "tail", "relation"}, False),
        ({"text", "instruction", "output"}, False),
        ({"text", "prompt", "completion"}, False),
        ({"text", "messages"}, False),
        ({"text", "conversations"}, False),
        ({"body"}, False),
    ],
)
def test_recognises(keys, known):
    assert text.recognises(frozenset(keys)) == known
