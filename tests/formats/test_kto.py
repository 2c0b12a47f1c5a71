"""kto: an answer and whether it is a good one."""

from __future__ import annotations

import pytest

from instructune.formats import kto

CHAT = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
TURNS = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": CHAT, "label": True},
        {"messages": CHAT, "kto_tag": True},
        {"conversations": TURNS, "kto_tag": 1},
        {"prompt": "q", "completion": "a", "label": "true"},
        {"prompt": CHAT[:1], "completion": CHAT[1:], "label": True},
        {"instruction": "q", "input": "", "output": "a", "kto_tag": True},
    ],
)
def test_all_spellings_make_one_record(row):
    assert kto.convert(row) == [{"messages": CHAT, "desirable": True}]


def test_bad_answers_and_columns_that_go_along():
    (made,) = kto.convert({"messages": CHAT, "kto_tag": False, "label": "x", "system": "s"})
    assert made["desirable"] is False
    assert made["label"] == "x"
    assert made["messages"][0] == {"role": "system", "content": "s"}
    row = {"instruction": "i", "input": "x", "output": "a", "label": False}
    assert kto.convert(row)[0]["messages"][0]["content"] == "i\nx"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": CHAT, "label": "good"}, "label must be true or false"),
        ({"messages": CHAT, "label": None}, "label must be true or false"),
        ({"messages": CHAT, "label": 2}, "label must be true or false"),
        ({"messages": CHAT[:1], "label": True}, "the last turn must be the answer"),
        ({"messages": [], "label": True}, "the last turn must be the answer"),
        ({"messages": "x", "label": True}, "messages must be a list of turns"),
    ],
)
def test_what_is_wrong_is_told(row, reason):
    with pytest.raises(ValueError, match=reason):
        kto.convert(row)


def test_recognises():
    assert kto.recognises(frozenset({"messages", "kto_tag"}))
    assert not kto.recognises(frozenset({"messages", "label"}))
    assert not kto.recognises(frozenset({"kto_tag", "chosen", "rejected"}))
