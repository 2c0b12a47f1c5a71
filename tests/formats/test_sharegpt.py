"""sharegpt: turns of from and value."""

from __future__ import annotations

import pytest

from instructune.formats import sharegpt


def convert(*turns, **more):
    conversation = [{"from": speaker, "value": value} for speaker, value in turns]
    (made,) = sharegpt.convert({"conversations": conversation, **more})
    return made


def test_the_speakers_get_their_roles():
    made = convert(
        ("system", "s"),
        ("human", "1"),
        ("gpt", "2"),
        ("user", "3"),
        ("chatgpt", "4"),
        ("human", "5"),
        ("function_call", '{"name":"f","arguments":{"x":1}}'),
        ("observation", "r"),
        ("assistant", "6"),
    )
    assert [turn["role"] for turn in made["messages"]] == [
        *("system", "user", "assistant", "user", "assistant", "user"),
        *("assistant", "tool", "assistant"),
    ]
    assert made["messages"][6] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}],
    }
    assert made["messages"][7] == {"role": "tool", "content": "r"}


def test_several_calls_at_once():
    made = convert(
        ("human", "q"), ("function_call", '[{"name":"f"},{"name":"g","arguments":"{}"}]')
    )
    assert [call["function"] for call in made["messages"][1]["tool_calls"]] == [
        {"name": "f", "arguments": {}},
        {"name": "g", "arguments": "{}"},
    ]


def test_system_and_tools_beside_the_turns():
    made = convert(("human", "q"), system="s", tools='[{"name":"f"}]')
    assert made == {
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}],
        "tools": [{"name": "f"}],
    }
    assert convert(("human", "q"), system="", tools="[]") == {
        "messages": [{"role": "user", "content": "q"}]
    }


def test_other_keys_of_a_turn_go_along():
    row = {"conversations": [{"from": "gpt", "value": "a", "weight": 0.5, "lang": None}]}
    assert sharegpt.convert(row) == [
        {"messages": [{"role": "assistant", "content": "a", "weight": 0.5, "lang": None}]}
    ]
    row = {"conversations": [{"from": "gpt", "value": "a", "role": "user"}]}
    with pytest.raises(ValueError) as caught:
        sharegpt.convert(row)
    assert str(caught.value) == "conversations[0] says role twice, also by from and value"


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ("hi", "conversations[0] must be an object with from and a string value"),
        ({"from": "gpt"}, "conversations[0] must be an object with from and a string value"),
        (
            {"from": "gpt", "value": None},
            "conversations[0] must be an object with from and a string value",
        ),
        ({"value": "x"}, "conversations[0].from None unknown (choose from "),
        (
            {"from": ["gpt"], "value": "x"},
            "conversations[0].from ['gpt'] unknown (did you mean 'gpt'?)",
        ),
        (
            {"from": "humann", "value": "x"},
            "conversations[0].from 'humann' unknown (did you mean 'human'?)",
        ),
        ({"from": "function_call", "value": "f()"}, "conversations[0]: not JSON ("),
        (
            {"from": "function_call", "value": "[1]"},
            "conversations[0] must be a tool call with a name",
        ),
    ],
)
def test_what_cannot_be_read_is_named(turn, reason):
    with pytest.raises(ValueError) as caught:
        sharegpt.convert({"conversations": [turn]})
    assert str(caught.value).startswith(reason)


def test_conversations_must_be_a_list():
    with pytest.raises(ValueError, match="conversations must be a list of turns"):
        sharegpt.convert({"conversations": "hi"})


def test_recognises():
    assert sharegpt.recognises(frozenset({"conversations", "id"}))
    assert not sharegpt.recognises(frozenset({"conversation"}))
