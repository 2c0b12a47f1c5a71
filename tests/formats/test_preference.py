"""preference: the shared prefix is the prompt, whatever the sides are written as."""

from __future__ import annotations

import pytest

from instructune.formats import preference

USER = {"role": "user", "content": "q"}
GOOD = {"role": "assistant", "content": "good"}
BAD = {"role": "assistant", "content": "bad"}
MADE = {"messages": [USER, GOOD], "rejected": [BAD]}


def gpt(value):
    return {"from": "gpt", "value": value}


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "chosen": "good", "rejected": "bad"},
        {"question": "q", "chosen": "good", "rejected": "bad"},
        {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": [USER], "chosen": GOOD, "rejected": BAD},
        {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": "q", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": "\n\nHuman: q", "chosen": "good", "rejected": "bad"},
        {
            "chosen": "\n\nHuman: q\n\nAssistant: good",
            "rejected": "\n\nHuman: q\n\nAssistant: bad",
        },
        {"chosen": "Human:q\n\nAssistant:good \n", "rejected": "Human:q\n\nAssistant: bad"},
        {
            "conversations": [{"from": "human", "value": "q"}],
            "chosen": gpt("good"),
            "rejected": gpt("bad"),
        },
        {
            "chosen_messages": [USER, GOOD | {"content": [{"type": "text", "value": "good"}]}],
            "rejected_messages": [USER, BAD],
        },
    ],
)
def test_all_spellings_make_one_record(row):
    assert preference.convert(row) == [MADE]


def test_instruction_and_input_system_and_tools():
    row = {"instruction": "i", "input": "x", "chosen": "good", "rejected": "bad", "system": "s"}
    assert preference.convert(row | {"tools": '[{"name":"f"}]'}) == [
        {
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "i\nx"},
                GOOD,
            ],
            "rejected": [BAD],
            "tools": [{"name": "f"}],
        }
    ]


def test_turns_before_the_last_answer_are_the_prompt():
    said = "\n\nHuman: one\n\nAssistant: two\nlines\n\nHuman: three: four\n\nAssistant: "
    (made,) = preference.convert({"chosen": said + "good", "rejected": said + "bad"})
    assert [turn["content"] for turn in made["messages"]] == [
        *("one", "two\nlines", "three: four", "good")
    ]
    assert made["rejected"] == [BAD]


def test_a_rejected_ending_may_have_several_turns():
    tail = [BAD, USER, {"role": "assistant", "content": "worse"}]
    (made,) = preference.convert({"chosen": [USER, GOOD], "rejected": [USER, *tail]})
    assert made == {"messages": [USER, GOOD], "rejected": tail}


def test_columns_that_are_not_the_prompt_go_along():
    row = {"prompt": "q", "question": "Q", "chosen": "good", "rejected": "bad", "input": "x"}
    assert preference.convert(row) == [MADE | {"question": "Q", "input": "x"}]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"chosen": [USER, GOOD], "rejected": [USER, GOOD]}, "goes on from the other, or they are"),
        ({"chosen": [USER, GOOD], "rejected": [USER]}, "goes on from the other"),
        (
            {"chosen": [USER, GOOD, USER, GOOD], "rejected": [USER, BAD]},
            "the answers part 3 turns before the end of chosen",
        ),
        ({"chosen": [GOOD, USER], "rejected": [GOOD, BAD]}, "part 1 turns before the end"),
        ({"prompt": 5, "chosen": "a", "rejected": "b"}, "prompt must be a string or a list"),
        ({"prompt": "q", "chosen": None, "rejected": "b"}, r"chosen\[0\] must be an object"),
    ],
)
def test_what_cannot_be_compared_is_told(row, reason):
    with pytest.raises(ValueError, match=reason):
        preference.convert(row)


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"chosen", "rejected"}, True),
        ({"conversations", "chosen", "rejected"}, True),
        ({"chosen_messages", "rejected_messages"}, True),
        ({"messages", "rejected"}, False),
        ({"prompt", "chosen"}, False),
    ],
)
def test_recognises(keys, known):
    assert preference.recognises(frozenset(keys)) == known
