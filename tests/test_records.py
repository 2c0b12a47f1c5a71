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
        "by",
        "signature",
        "baseline",
        "delta",
        "delta_ci95",
        "p",
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
