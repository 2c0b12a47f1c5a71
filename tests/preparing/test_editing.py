"""editing: every text of a record, spans and tags kept right."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.preparing.editing import Edit, LostSpans, edited, replaced
from instructune.records import Record


def upper(text: str) -> str:
    return text.upper()


def no_vowels(text: str) -> list[Edit]:
    return [Edit(found.start(), found.end(), "") for found in re.finditer("[aeiou]+", text)]


def test_every_text_is_reached_and_nothing_else():
    call = {"function": {"name": "mail", "arguments": '{"to": "ann", "n": 1}'}}
    record = Record(
        id="a",
        messages=[
            {"role": "user", "content": "ask"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "assistant", "content": "answer", "note": "kept"},
        ],
        references=["r", 3],
        rejected=[{"role": "assistant", "content": "bad"}],
        positive="p",
        negatives=["n"],
        task="t",
        other="kept",
    )
    assert edited(record, upper) == {
        "id": "a",
        "messages": [
            {"role": "user", "content": "ASK"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"function": {"name": "mail", "arguments": '{"to": "ANN", "n": 1}'}}
                ],
            },
            {"role": "assistant", "content": "ANSWER", "note": "kept"},
        ],
        "references": ["R", 3],
        "rejected": [{"role": "assistant", "content": "BAD"}],
        "positive": "P",
        "negatives": ["N"],
        "task": "t",
        "other": "kept",
    }
    assert record["messages"][0]["content"] == "ask"
    assert edited(Record(id="b", texts=["x", "y"]), upper)["texts"] == ["X", "Y"]


def test_a_record_that_stays_is_the_same_object():
    record = Record(id="a", text="ABC", entities=[{"start": 0, "end": 1, "type": "T"}])
    assert edited(record, upper) is record
    assert replaced(record, no_vowels) is record


def test_entities_move_and_lost_ones_take_their_relations_along():
    record = Record(
        id="a",
        text="aa bob ou cat",
        entities=[
            {"start": 7, "end": 9, "type": "VOWELS"},
            {"start": 3, "end": 6, "type": "P", "note": 1},
            {"start": 10, "end": 13, "type": "A"},
        ],
        relations=[{"head": 0, "tail": 1, "type": "x"}, {"head": 2, "tail": 1, "type": "y"}],
    )
    expected = {
        "id": "a",
        "text": " bb  ct",
        "entities": [
            {"start": 1, "end": 3, "type": "P", "note": 1},
            {"start": 5, "end": 7, "type": "A"},
        ],
        "relations": [{"head": 1, "tail": 0, "type": "y"}],
    }
    assert replaced(record, no_vowels) == expected
    assert edited(record, lambda text: re.sub("[aeiou]", "", text)) == expected
    marked = edited(record, lambda text: re.sub("[aeiou]", "", text), marked=True)
    assert marked == expected


def test_an_entity_cut_by_an_edit_covers_what_replaced_it():
    record = Record(id="a", text="mail ann@x.org", entities=[{"start": 5, "end": 8, "type": "P"}])
    after = replaced(record, lambda text: [Edit(5, 14, "<EMAIL>")])
    assert after["text"] == "mail <EMAIL>"
    assert after["entities"] == [{"start": 5, "end": 12, "type": "P"}]


@pytest.mark.parametrize("entity", [{"start": 1, "end": 9}, {"start": -1, "end": 2}, {"end": 2}])
def test_an_entity_outside_the_text_is_told(entity):
    with pytest.raises(UserError, match="an entity lies outside the text"):
        edited(Record(id="a", text="abc", entities=[entity]), upper)


def test_marks_that_are_lost_are_told():
    record = Record(id="a", text="abc", entities=[{"start": 1, "end": 2, "type": "P"}])
    with pytest.raises(LostSpans):
        edited(record, lambda text: text[::-1], marked=True)


def test_tokens_go_with_their_tags_and_a_span_keeps_its_start():
    record = Record(id="a", tokens=["ou", "Bob", "i", "xx"], tags=["B-P", "I-P", "O", "B-P"])
    after = replaced(record, no_vowels)
    assert after["tokens"] == ["Bb", "xx"]
    assert after["tags"] == ["B-P", "B-P"]


def test_edits_across_tokens():
    def digits(text: str) -> list[Edit]:
        return [Edit(found.start(), found.end(), "#") for found in re.finditer(r"\d[\d ]*\d", text)]

    words = Record(id="a", tokens=["call", "12", "34", "now"], tags=["O", "B-N", "I-N", "O"])
    after = replaced(words, digits, across=True)
    assert (after["tokens"], after["tags"]) == (["call", "#", "now"], ["O", "B-N", "O"])
    signs = Record(id="b", tokens=list("打123吧"), tags=["O"] * 5)
    assert replaced(signs, digits, across=True)["tokens"] == ["打", "#", "吧"]


def test_a_number_that_must_not_stay_becomes_a_text():
    call = {"function": {"name": "f", "arguments": {"a": [13, True], "b": {"c": "13"}}}}
    record = Record(id="a", messages=[{"role": "assistant", "content": "x", "tool_calls": [call]}])
    after = edited(record, lambda text: text.replace("13", "<N>"))
    arguments = after["messages"][0]["tool_calls"][0]["function"]["arguments"]
    assert arguments == {"a": ["<N>", True], "b": {"c": "<N>"}}


@given(st.text("abeo .", min_size=1, max_size=30), st.data())
def test_spans_hold_what_they_held(text, data):
    """Deleting letters: each entity's text is the old one with the letters deleted."""
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))
    spans = [tuple(sorted(pair)) for pair in data.draw(st.lists(ends, min_size=1, max_size=4))]
    entities = [{"start": a, "end": b, "type": str(i)} for i, (a, b) in enumerate(spans) if a < b]
    record = Record(id="a", text=text, entities=entities)

    def each(sign: str) -> list[Edit]:
        return [Edit(f.start(), f.end(), "") for f in re.finditer("[aeo]", sign)]

    for after in (
        replaced(record, each),
        edited(record, lambda piece: re.sub("[aeo]", "", piece)),
        edited(record, lambda piece: re.sub("[aeo]", "", piece), marked=True),
    ):
        expected = {
            e["type"]: stripped
            for e in entities
            if (stripped := re.sub("[aeo]", "", text[e["start"] : e["end"]]))
        }
        held = {e["type"]: after["text"][e["start"] : e["end"]] for e in after["entities"]}
        assert after["text"] == re.sub("[aeo]", "", text)
        assert held == expected or after is record
