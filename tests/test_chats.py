"""chats: a good chat has no fault, and a bad one has it named with the turn."""

from __future__ import annotations

import pytest

from instructune.chats import check_messages, is_plain

QUESTION = {"role": "user", "content": "?"}
ANSWER = {"role": "assistant", "content": "a"}
CALL = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "r"}


@pytest.mark.parametrize(
    "messages",
    [
        [QUESTION],
        [ANSWER],
        [QUESTION, ANSWER],
        [{"role": "system", "content": ""}, QUESTION],
        [QUESTION, {"role": "system", "content": "now"}],
        [QUESTION, CALLING, RESULT, RESULT, ANSWER],
        [QUESTION, CALLING],
        [QUESTION, CALLING | {"content": ""}],
        [QUESTION | {"name": "ann"}, ANSWER | {"weight": 0, "tool_calls": None}],
    ],
)
def test_good_chats(messages):
    assert check_messages(messages) is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": []}, "must be a non-empty list of turns"),
        ({"messages": "hi"}, "must be a non-empty list of turns"),
        ({"messages": [QUESTION, None]}, "[1] must be an object with role and content"),
        (
            {"messages": [{"role": "bot", "content": "x"}]},
            "[0].role 'bot' is not one of system, user, assistant, tool",
        ),
        (
            {"messages": [{"role": ["user"], "content": "x"}]},
            "[0].role ['user'] is not one of system, user, assistant, tool",
        ),
        ({"messages": [{"role": "user"}]}, "[0].content must be a string"),
        ({"messages": [{"role": "user", "content": None}]}, "[0].content must be a string"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "[0].content must be a string"),
        ({"messages": [QUESTION, CALLING | {"content": 5}]}, "[1].content must be a string"),
        ({"messages": [RESULT]}, "[0] is a tool's answer without a call before it"),
        (
            {"messages": [QUESTION, ANSWER, RESULT]},
            "[2] is a tool's answer without a call before it",
        ),
        (
            {"messages": [QUESTION | {"tool_calls": [CALL]}]},
            "[0].tool_calls belong to the assistant, not the user",
        ),
        (
            {"messages": [QUESTION, ANSWER | {"tool_calls": []}]},
            "[1].tool_calls must be a non-empty list",
        ),
        (
            {"messages": [QUESTION, ANSWER | {"tool_calls": [{"name": "f"}]}]},
            "[1].tool_calls each need function.name",
        ),
        (
            {"messages": [QUESTION, ANSWER | {"tool_calls": [{"function": {"name": 1}}]}]},
            "[1].tool_calls each need function.name",
        ),
        (
            {
                "messages": [
                    QUESTION,
                    ANSWER | {"tool_calls": [{"function": {"name": "f", "arguments": [1]}}]},
                ]
            },
            "[1].tool_calls each need function.arguments as JSON text or an object",
        ),
        (
            {"messages": [{"role": "system", "content": "s"}] * 2},
            "has no user or assistant turn",
        ),
        ({"messages": [QUESTION, ANSWER | {"content": ""}]}, "ends in an empty answer"),
    ],
)
def test_bad_chats(row, reason):
    assert check_messages(row["messages"]) == reason


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        (QUESTION, True),
        (ANSWER, True),
        ({"role": "system", "content": ""}, True),
        (RESULT, False),  # which needs a call before it
        (CALLING, False),
        (QUESTION | {"name": "ann"}, False),
        ({"role": "user"}, False),
        ({"role": "user", "text": "x"}, False),
        ({"role": ["user"], "content": "x"}, False),
        ({"role": None, "content": "x"}, False),
        ({"role": "user", "content": None}, False),
        ([], False),
        ("role", False),
        (None, False),
        (5, False),
    ],
)
def test_a_plain_turn_is_text_said_by_somebody_and_no_more(message, plain):
    assert is_plain(message) is plain
