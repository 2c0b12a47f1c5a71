"""messages: OpenAI chats, and the other spellings of their turns."""

from __future__ import annotations

import json

import pytest

from instructune.formats import messages

USER = {"role": "user", "content": "q"}
CALL = {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
SCHEMA = {"type": "function", "function": {"name": "f", "parameters": {}}}


def convert(*turns, **more):
    (made,) = messages.convert({"messages": list(turns), **more})
    return made


def test_plain_turns_and_their_other_keys_stay_as_they_are():
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q", "name": "ann"},
        {"content": "", "role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "content": "r", "tool_call_id": "1"},
        {"role": "assistant", "content": "a", "weight": 0},
    ]
    made = convert(*turns)
    assert json.dumps(made) == json.dumps({"messages": turns})


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ({"role": "developer", "content": "x"}, {"role": "system", "content": "x"}),
        (
            {"role": "function", "name": "f", "content": "x"},
            {"role": "tool", "name": "f", "content": "x"},
        ),
        (
            {"role": "assistant", "content": "x", "tool_calls": None},
            {"role": "assistant", "content": "x"},
        ),
        (
            {"role": "assistant", "content": "x", "tool_calls": []},
            {"role": "assistant", "content": "x"},
        ),
        (
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": None,
                "function_call": {"name": "f", "arguments": '{"x":1}'},
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
                ],
            },
        ),
        (
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            {"role": "user", "content": "ab"},
        ),
        (
            {
                "role": "assistant",
                "name": "bot",
                "content": [
                    {"type": "reasoning", "value": "hm"},
                    {"type": "text", "value": "so"},
                    {"type": "tool_call", "value": '{"name":"f","arguments":{"x":1},"id":"7"}'},
                    {"type": "tool_call", "value": '[{"name":"g"},{"name":"h"}]'},
                ],
            },
            {
                "role": "assistant",
                "name": "bot",
                "content": "so",
                "reasoning_content": "hm",
                "tool_calls": [
                    CALL | {"id": "7"},
                    {"type": "function", "function": {"name": "g", "arguments": {}}},
                    {"type": "function", "function": {"name": "h", "arguments": {}}},
                ],
            },
        ),
    ],
)
def test_other_spellings(turn, expected):
    assert convert(USER, turn)["messages"] == [USER, expected]


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ("hi", "messages[1] must be an object with role and content"),
        (None, "messages[1] must be an object with role and content"),
        (
            {"role": "assistent", "content": "x"},
            "messages[1].role 'assistent' unknown (did you mean 'assistant'?)",
        ),
        (
            {"role": ["user"], "content": "x"},
            "messages[1].role ['user'] unknown (did you mean 'user'?)",
        ),
        (
            {"content": "x"},
            "messages[1].role is missing (--format alternating deals them out)",
        ),
        ({"role": "user"}, "messages[1].content is missing"),
        (
            {"role": "assistant", "content": None, "tool_calls": []},
            "messages[1].content is missing",
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
            "messages[1].content[0] of type 'image_url' cannot be read as text",
        ),
        (
            {"role": "user", "content": [{"type": "audio", "text": "x"}]},
            "messages[1].content[0] of type 'audio' cannot be read as text",
        ),
        ({"role": "user", "content": ["x"]}, "messages[1].content[0] of type None cannot be"),
        (
            {"role": "assistant", "content": [{"type": "tool_call", "value": "{"}]},
            "messages[1].content[0]: not JSON (",
        ),
        (
            {"role": "assistant", "content": [{"type": "tool_call", "value": "[]"}]},
            "messages[1].content[0] must be a tool call with a name",
        ),
        (
            {
                "role": "assistant",
                "tool_calls": [CALL],
                "content": [{"type": "tool_call", "value": '{"name":"f"}'}],
            },
            "messages[1] says tool_calls twice, also by content",
        ),
    ],
)
def test_what_cannot_be_read_is_named(turn, reason):
    with pytest.raises(ValueError) as caught:
        convert(USER, turn)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ([SCHEMA], {"tools": [SCHEMA]}),
        (json.dumps([SCHEMA]), {"tools": [SCHEMA]}),
        ("[]", {}),
        ("  ", {}),
        ([], {}),
        (None, {}),
        (0, {"tools": 0}),  # which the record's own check refuses
    ],
)
def test_tools_as_a_list_or_its_text(tools, expected):
    assert convert(USER, tools=tools) == {"messages": [USER]} | expected


def test_tools_that_are_broken_text():
    with pytest.raises(ValueError, match="tools: not JSON"):
        convert(USER, tools="[{")


def test_messages_must_be_a_list():
    with pytest.raises(ValueError, match="messages must be a list of turns"):
        messages.convert({"messages": {"role": "user"}})


def test_recognises():
    assert messages.recognises(frozenset({"messages", "x"}))
    assert not messages.recognises(frozenset({"message"}))
