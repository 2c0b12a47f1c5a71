"""A constraint with its evidence, and as an entry of `checks`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from instructune.checking import prepared
from instructune.constraints import extract
from instructune.constraints.found import found
from instructune.records import Record


def test_an_entry():
    assert found("no_commas", "no\n commas").as_check() == {"check": "no_commas"}
    assert found("no_commas", "no\n commas").evidence == "no commas"
    made = found("max_words", "x", n=3)
    assert made.as_check() == {"check": "max_words", "args": {"n": 3}}


def test_a_constraint_said_twice_is_one():
    assert (
        len(extract("Do not use commas. Really, avoid commas. At most 9 words, 9 words max.")) == 2
    )


def test_of_a_long_prompt_both_ends_are_read():
    middle = "no word of it. " * 2000
    prompt = f"Answer in JSON.\n{middle}\nDo not use commas."
    assert [item.check for item in extract(prompt)] == ["json_format", "no_commas"]


_WORDS = (
    "at least|no more than|3|two|0|words|sentences|times|the word|'a'|\"b\"|JSON|in|French|end|with"
    "|paragraph|first|start|section X|***|******|not|commas|letter q|不超过|零|个字|三|“|”"
    "|句话|出现|次|choose from|or|repeat it|highlight|placeholders|bullet points|.|\n|:|,|to"
)


@given(st.lists(st.sampled_from(_WORDS.split("|")), max_size=12).map(" ".join))
def test_what_is_extracted_can_be_checked(prompt):
    for item in extract(prompt):
        prepared(item.as_check(), Record())
