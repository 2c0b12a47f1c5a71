"""relation: entities as spans of the text, whatever they were given as."""

from __future__ import annotations

import pytest

from instructune.formats import relation

TEXT = "𝒜nn lives in Rome."
ANN, ROME = {"start": 0, "end": 3}, {"start": 13, "end": 17}
TOKENS = ["𝒜nn", "lives", "in", "Rome."]


def test_by_text_and_by_span():
    expected = {
        "text": TEXT,
        "entities": [ANN | {"type": ""}, ROME | {"type": ""}],
        "relations": [{"head": 0, "tail": 1, "type": "lives_in"}],
    }
    row = {"text": TEXT, "head": "𝒜nn", "tail": "Rome", "relation": "lives_in"}
    assert relation.convert(row) == [expected]
    h, t = {"name": "𝒜nn", "pos": [0, 3]}, {"name": "Rome"}
    assert relation.convert({"text": TEXT, "h": h, "t": t, "relation": "lives_in"}) == [expected]
    head, tail = ANN | {"type": "PER"}, {"text": "Rome", "label": "LOC"}
    (made,) = relation.convert({"text": TEXT, "head": head, "tail": tail, "relation": 3})
    assert made["entities"] == [ANN | {"type": "PER"}, ROME | {"type": "LOC"}]
    assert made["relations"][0]["type"] == "3"


def test_spans_of_tokens():
    expected = [ANN, {"start": 13, "end": 18}]
    row = {"tokens": TOKENS, "head": [0, 1], "tail": [3, 4], "relation": "r"}
    (made,) = relation.convert(row)
    assert made["text"] == TEXT
    assert made["fields"] == {"tokens": TOKENS}
    assert [{"start": e["start"], "end": e["end"]} for e in made["entities"]] == expected
    tacred = {"subj_start": 0, "subj_end": 0, "obj_start": 2, "obj_end": 3, "subj_type": "PERSON"}
    (made,) = relation.convert({"token": TOKENS, "relation": "r"} | tacred)
    assert made["entities"] == [ANN | {"type": "PERSON"}, {"start": 10, "end": 18, "type": ""}]


def test_chinese_tokens_stand_without_spaces():
    row = {
        "tokens": ["我", "在", "New", "York", "市"],
        "head": [0, 1],
        "tail": [2, 5],
        "relation": "r",
    }
    (made,) = relation.convert(row)
    assert made["text"] == "我在New York市"
    assert made["entities"][1] == {"start": 2, "end": 11, "type": ""}


def test_lists_by_index_and_by_id():
    entities = [ANN | {"type": "PER"}, ROME | {"type": "LOC"}]
    row = {
        "text": TEXT,
        "entities": entities,
        "relations": [{"head": 0, "tail": 1, "type": "r"}],
    }
    assert relation.convert(row) == [row]
    doccano = {
        "text": TEXT,
        "entities": [
            {"id": 9, "label": "PER", "start_offset": 0, "end_offset": 3},
            {"id": 4, "label": "LOC", "start_offset": 13, "end_offset": 17},
        ],
        "relations": [{"id": 1, "from_id": 9, "to_id": 4, "type": "r"}],
    }
    assert relation.convert(doccano) == [row]
    spert = {"tokens": TOKENS, "entities": [{"type": "PER", "start": 0, "end": 1}], "relations": []}
    assert relation.convert(spert)[0]["entities"] == [ANN | {"type": "PER"}]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"head": "Bob", "tail": "Rome"}, "head does not stand in the text"),
        ({"head": {"pos": [0, 99]}, "tail": "Rome"}, "the span 0 to 99 is not in the text"),
        ({"head": 5, "tail": "Rome"}, "head must be a text, a span of tokens or an object"),
        ({"head": [0, 1], "tail": "Rome"}, "the span 0 to 1 is not among the tokens"),
        ({"head": "Rome", "tail": {"name": "Rome", "type": []}}, "type of an entity or relation"),
    ],
)
def test_what_is_wrong_is_told(more, reason):
    with pytest.raises(ValueError, match=reason):
        relation.convert({"text": TEXT, "relation": "r"} | more)


def test_relations_of_nothing_are_told():
    row = {"text": TEXT, "entities": [ANN], "relations": [{"head": 0, "tail": 1}]}
    with pytest.raises(ValueError, match=r"relations\[0\]\.tail names no entity"):
        relation.convert(row)


def test_recognises():
    assert relation.recognises(frozenset({"text", "head", "tail", "relation"}))
    assert relation.recognises(frozenset({"token", "h", "t", "relation"}))
    assert relation.recognises(frozenset({"tokens", "entities", "relations"}))
    assert not relation.recognises(frozenset({"text", "entities"}))
    assert not relation.recognises(frozenset({"head", "tail", "relation"}))
