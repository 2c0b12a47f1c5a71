"""texts: what a record asks, answers and says, and its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.records import Record
from instructune.texts import all_text, answer_of, asked, normalised, prompt_of, split, words

CHAT = Record(
    {
        "id": "1",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Two?"},
            {"role": "assistant", "content": "2"},
            {"role": "user", "content": "Three?"},
            {"role": "assistant", "content": "3"},
        ],
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop, it's 3.5!", ["Don't", "stop", "it's", "3", "5"]),
        ("写100字的故事。", ["写", "100", "字", "的", "故", "事"]),
        ("用Python写 한국어", ["用", "Python", "写", "한", "국", "어"]),
        ("snake_case naïve 'quoted'", ["snake", "case", "naïve", "quoted"]),
        ("… — !", []),
        ("a_b\tc-d.e\x00f", ["a", "b", "c", "d", "e", "f"]),
        ("𠀀x", ["𠀀", "x"]),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ("Hello  World", "hello\tworld\n", True),
        ("ＡＢＣ１", "abc1", True),
        ("ﬁne", "FINE", True),
        ("a b", "ab", False),
        ("a.", "a", False),
    ],
)
def test_normalised(a, b, equal):
    assert (normalised(a) == normalised(b)) is equal


def test_a_chat():
    assert prompt_of(CHAT) == "Two?\nThree?"
    assert answer_of(CHAT) == "3"
    assert all_text(CHAT) == "Be brief.\nTwo?\n2\nThree?\n3"


@pytest.mark.parametrize(
    ("body", "prompt", "answer", "everything"),
    [
        ({"text": "a b"}, "a b", None, "a b"),
        ({"text": "a b", "label": "x"}, "a b", "x", "a b"),
        ({"text": "a b", "label": ["x", "y"]}, "a b", None, "a b"),
        ({"texts": ["a", "b"], "label": 1.5}, "a\nb", None, "a\nb"),
        ({"tokens": ["a", "b"], "tags": ["O", "O"]}, "a b", None, "a b"),
        ({"text": "q", "positive": "p", "negatives": ["n"]}, "q", None, "q\np\nn"),
        ({"text": "q", "references": ["r", "s"]}, "q", "r", "q\nr\ns"),
        (
            {
                "messages": [{"role": "user", "content": "q"}],
                "rejected": [{"role": "assistant", "content": "no"}],
            },
            "q",
            None,
            "q\nno",
        ),
    ],
)
def test_other_bodies(body, prompt, answer, everything):
    record = Record({"id": "1"} | body)
    assert (prompt_of(record), answer_of(record), all_text(record)) == (prompt, answer, everything)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"text": "a b", "prediction": "c"}, "a b"),
        ({"messages": [{"role": "user", "content": "q"}]}, "q"),
        ({"note": "a"}, None),
        ({"messages": "a chat"}, None),
        ({"messages": []}, None),
        ({"tokens": 57}, None),
        ({"text": None}, None),
        ({"text": "a", "tokens": 57}, None),
    ],
)
def test_what_a_row_of_another_tool_asks(row, expected):
    assert asked(row) == expected


def test_turns_without_words():
    call = {"function": {"name": "f"}}
    record = Record(
        {
            "id": "1",
            "messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": None, "tool_calls": [call]},
            ],
        }
    )
    assert (prompt_of(record), answer_of(record), all_text(record)) == ("q", "", "q\n")


@given(st.text(st.characters(max_codepoint=127)))
def test_the_fast_way_is_the_same(text):
    assert words(text) == words(text + "\u2028")
    assert normalised(text) == normalised(text + "\u2028")


def test_a_split_text_is_whole():
    assert split("It's  4好 人,\n ok!?") == [
        *("It's", "  ", "4", "好", " ", "人", ",", "\n ", "ok", "!", "?"),
    ]
