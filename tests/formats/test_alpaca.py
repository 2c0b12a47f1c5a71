"""alpaca: instruction, input and output as turns."""

from __future__ import annotations

import pytest

from instructune.formats import alpaca

U, A, S = "user", "assistant", "system"


def turns(*pairs):
    return [{"messages": [{"role": role, "content": content} for role, content in pairs]}]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"instruction": "do", "output": "done"}, turns((U, "do"), (A, "done"))),
        (
            {"instruction": "do", "input": "this", "output": "done"},
            turns((U, "do\nthis"), (A, "done")),
        ),
        ({"instruction": "do", "input": "", "output": "x"}, turns((U, "do"), (A, "x"))),
        ({"instruction": "do", "input": None, "output": "x"}, turns((U, "do"), (A, "x"))),
        ({"instruction": "do", "input": "this"}, turns((U, "do\nthis"))),
        ({"instruction": "do", "input": "", "output": None}, turns((U, "do"))),
        (
            {
                "system": "be kind",
                "history": [["q1", "a1"], ["q2", "a2"]],
                "instruction": "do",
                "output": "done",
            },
            turns(
                (S, "be kind"), (U, "q1"), (A, "a1"), (U, "q2"), (A, "a2"), (U, "do"), (A, "done")
            ),
        ),
        (
            {"instruction": "do", "output": "x", "system": "", "history": None},
            turns((U, "do"), (A, "x")),
        ),
    ],
)
def test_convert(row, expected):
    assert alpaca.convert(row) == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"instruction": 5, "output": "x"}, "instruction must be a string"),
        ({"instruction": "do", "input": 0, "output": "x"}, "input must be a string"),
        ({"instruction": "do", "input": [], "output": "x"}, "input must be a string"),
        ({"instruction": "do", "system": {}, "output": "x"}, "system must be a string"),
        (
            {"instruction": "do", "history": 5},
            "history must be a list of [question, answer] pairs",
        ),
        (
            {"instruction": "do", "history": [["q"]]},
            "history must be a list of [question, answer] pairs",
        ),
        (
            {"instruction": "do", "history": ["qa"]},
            "history must be a list of [question, answer] pairs",
        ),
    ],
)
def test_nothing_that_is_not_text_is_dropped_unsaid(row, reason):
    with pytest.raises(ValueError) as caught:
        alpaca.convert(row)
    assert str(caught.value) == reason


def test_the_missing_field_is_named():
    with pytest.raises(KeyError, match="instruction"):
        alpaca.convert({"input": "x", "output": "y"})


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"instruction", "output"}, True),
        ({"instruction", "input", "output", "text"}, True),
        ({"instruction", "input"}, True),
        ({"instruction"}, False),
        ({"output", "input"}, False),
    ],
)
def test_recognises(keys, known):
    assert alpaca.recognises(frozenset(keys)) == known
