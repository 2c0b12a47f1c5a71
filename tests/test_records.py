"""records: keys, references and the tables that the documentation is generated from."""

from __future__ import annotations

import pytest

from instructune.records import (
    BODIES,
    DESCRIPTIVE,
    FIELDS,
    PREDICTION_FIELDS,
    SUMMARY_FIELDS,
    Record,
    fault,
    json_schema,
    key_of,
)

QUESTION = {"role": "user", "content": "?"}


def test_the_key_is_id_and_sample():
    assert key_of({"id": "a", "sample": 3, "prediction": "x"}) == ("a", 3)
    assert key_of({"id": "a"}) == ("a", 0)


@pytest.mark.parametrize(
    ("row", "references"),
    [
        ({"messages": [QUESTION, {"role": "assistant", "content": "yes"}]}, ["yes"]),
        ({"messages": [QUESTION]}, []),
        ({"messages": [QUESTION, {"role": "assistant", "content": None}]}, [""]),
        ({"text": "t"}, []),
        ({"text": "t", "label": "pos"}, ["pos"]),
        ({"text": "t", "label": ["a", "b"]}, [["a", "b"]]),
        ({"text": "t", "label": 0}, [0]),
        ({"tokens": ["x"], "tags": ["O"]}, [["O"]]),
        ({"text": "t", "label": "pos", "references": ["a", "b"]}, ["a", "b"]),
        (
            {
                "messages": [QUESTION, {"role": "assistant", "content": "yes"}],
                "references": ["yep"],
            },
            ["yep"],
        ),
    ],
)
def test_references(row, references):
    assert Record(row).references() == references


def test_every_field_of_a_summary_is_in_the_table():
    assert list(SUMMARY_FIELDS) == [
        "metric",
        "value",
        "ci95",
        "n",
        "n_expected",
        "n_errors",
        "n_clusters",
        "by",
        "signature",
        "chance",
        "baseline",
        "delta",
        "delta_ci95",
        "p",
        "p_adjusted",
        "details",
    ]


def test_field_tables_agree():
    assert not set(FIELDS) & set(PREDICTION_FIELDS)
    assert set(FIELDS) >= DESCRIPTIVE
    assert set(FIELDS) >= set(BODIES)
    assert list(json_schema()["properties"]) == list(FIELDS)
    tables = [{name: field.meaning for name, field in FIELDS.items()}]
    for table in (*tables, PREDICTION_FIELDS, SUMMARY_FIELDS):
        assert all(text and not text.endswith(".") for text in table.values())


ANSWER = {"role": "assistant", "content": "a"}
CALL = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "r"}

GOOD = [
    {"messages": [QUESTION]},
    {"messages": [QUESTION, ANSWER]},
    {"messages": [{"role": "system", "content": ""}, QUESTION]},
    {"messages": [QUESTION, CALLING, RESULT, RESULT, ANSWER]},
    {"messages": [QUESTION, CALLING]},
    {"messages": [QUESTION | {"name": "ann"}, ANSWER | {"weight": 0}]},
    {"messages": [QUESTION, ANSWER], "rejected": [{"role": "assistant", "content": "b"}]},
    {"messages": [QUESTION, ANSWER], "desirable": False},
    {"text": "t"},
    {"text": "t", "label": "pos"},
    {"text": "t", "label": ["a", "b"]},
    {"text": "t", "label": []},
    {"text": "t", "label": 0.5},
    {"text": "t", "anything": {"else": [None]}},
    {"text": "t", "entities": [{"start": 0, "end": 1, "type": "X"}], "relations": []},
    {"texts": ["a", "b"], "label": 1},
    {"tokens": ["a", "b"], "tags": ["O", "B-X"]},
    {"tokens": ["a"]},
    {"text": "t", "kind": "task"},
    {"text": "t", "kind": ["task", "constraint"]},
    {"text": "t", "checks": [{"check": "max_words", "args": {"n": 3}}, {"check": "x"}]},
    {"text": "t", "positive": "p", "negatives": ["n"], "annotations": {"ann": 1}},
    {"text": "t", "structure": {"action": "sum up"}, "language": "en", "augmented": "noise"},
    {"text": "t", "dropped": "duplicate", "duplicate_of": "a", "touches": "test.jsonl:3"},
    {"text": "t", "id": "1", "origin": "f:1", "fields": {"label": True}, "weight": 2},
]


@pytest.mark.parametrize("row", GOOD, ids=map(str, range(len(GOOD))))
def test_a_good_record_has_no_fault(row):
    assert fault(row) is None


BODY = "needs exactly one of messages, text, texts, tokens, found "
BAD = [
    ({}, BODY + "none"),
    ({"label": "x"}, BODY + "none"),
    ({"text": "t", "messages": [QUESTION]}, BODY + "messages and text"),
    ({"messages": []}, "messages must be a non-empty list of turns"),
    ({"messages": [QUESTION, None]}, "messages[1] must be an object with role and content"),
    ({"text": ""}, "text is empty"),
    ({"text": " \n\t"}, "text is empty"),
    ({"text": None}, "text must be a string"),
    ({"texts": ["a"]}, "texts must be a list of strings"),
    ({"texts": ["a", 1]}, "texts must hold only strings"),
    ({"tokens": ["a", "b"], "tags": ["O"]}, "has 1 tags for 2 tokens"),
    ({"text": "t", "tags": ["O"]}, "has 1 tags for 0 tokens"),
    ({"tokens": []}, "tokens must be a list of strings"),
    ({"text": "t", "label": True}, "label must be a list of strings"),
    ({"text": "t", "label": [1]}, "label must hold only strings"),
    ({"text": "t", "id": 1}, "id must be a string"),
    ({"text": "t", "weight": True}, "weight must be a number"),
    ({"text": "t", "weight": "2"}, "weight must be a number"),
    ({"text": "t", "references": []}, "references must be a non-empty list"),
    ({"text": "t", "kind": "chore"}, "kind must be any of task, constraint, demonstration"),
    ({"text": "t", "kind": [[]]}, "kind must be any of task, constraint, demonstration"),
    ({"text": "t", "checks": {}}, "checks must be a list"),
    ({"text": "t", "checks": [{}]}, "checks must hold objects with a check name"),
    ({"text": "t", "checks": [{"check": "x", "args": []}]}, "checks must hold args as an object"),
    ({"text": "t", "tools": {}}, "tools must be a list of objects"),
    ({"text": "t", "tools": ["f"]}, "tools must hold only objects"),
    ({"text": "t", "rejected": []}, "rejected must be a non-empty list of turns"),
    ({"text": "t", "rejected": [{"role": "x"}]}, "rejected[0].role 'x' is not one of"),
    ({"text": "t", "desirable": 1}, "desirable must be true or false"),
    ({"text": "t", "fields": []}, "fields must be an object"),
    ({"text": "t", "structure": []}, "structure must be an object"),
    ({"text": "t", "language": ["en"]}, "language must be a string"),
    ({"text": "t", "augmented": True}, "augmented must be a string"),
    ({"text": "t", "dropped": False}, "dropped must be a string"),
    ({"text": "t", "duplicate_of": 1}, "duplicate_of must be a string"),
    ({"text": "t", "touches": None}, "touches must be a string"),
]


@pytest.mark.parametrize(("row", "reason"), BAD, ids=map(str, range(len(BAD))))
def test_a_fault_names_the_field_and_what_it_must_be(row, reason):
    found = fault(row)
    assert found
    assert found.startswith(reason)


def test_where_a_record_is_told_to_be():
    assert Record(id="a", origin="f:3").where == "f:3"
    assert Record(id="a").where == "id 'a'"
