"""alternating: roles dealt out in turn."""

from __future__ import annotations

import pytest

from instructune.formats import alternating


def test_strings_and_objects():
    (made,) = alternating.convert({"dialogue": ["1", "2", "3"], "system": "s"})
    assert [(turn["role"], turn["content"]) for turn in made["messages"]] == [
        *(("system", "s"), ("user", "1"), ("assistant", "2"), ("user", "3"))
    ]
    turns = [{"message": "q"}, {"attrs": [1], "message": "a"}]
    assert alternating.convert({"messages": turns, "turns": 5}) == [
        {
            "messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": "a", "attrs": [1]},
            ],
            "turns": 5,
        }
    ]


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (5, r"messages\[0\] must be a string or an object"),
        ({"said": "x"}, r"messages\[0\] has no text"),
        ({"role": "user", "content": "x"}, "says its role; choose --format messages"),
    ],
)
def test_what_is_wrong_is_told(turn, reason):
    with pytest.raises(ValueError, match=reason):
        alternating.convert({"messages": [turn]})


def test_only_by_name():
    assert not alternating.recognises(frozenset({"messages"}))
    with pytest.raises(KeyError, match="messages"):
        alternating.convert({"x": 1})
