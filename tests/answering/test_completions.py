"""The prediction row: the record as it came, and what the model made of it."""

from __future__ import annotations

from instructune.answering.completions import Completion, Prompt, carried, prediction, record_of
from instructune.records import Record

MESSAGES = [{"role": "user", "content": "hi"}]


def test_a_prediction_is_the_record_and_the_answer():
    record = Record(id="a", messages=MESSAGES, topic={"deep": [1, None]}, origin="x:1")
    row = prediction(Prompt(record, 2), Completion("yo", "stop", 5, 2), "abc")
    assert list(row.items()) == [
        ("id", "a"),
        ("messages", MESSAGES),
        ("topic", {"deep": [1, None]}),
        ("origin", "x:1"),
        ("sample", 2),
        ("prediction", "yo"),
        ("finish_reason", "stop"),
        ("usage", {"prompt_tokens": 5, "completion_tokens": 2}),
        ("model", "abc"),
    ]
    assert record_of(row) == carried(record) == record


def test_an_error_takes_the_answer_s_place():
    record = Record(id="a", messages=MESSAGES)
    row = prediction(Prompt(record, 0), Completion(None, "error", error="too long"), "abc")
    assert (row["prediction"], row["finish_reason"], row["error"]) == (None, "error", "too long")


def test_what_an_earlier_prediction_said_does_not_stay():
    """A file of predictions is a file of records: it may be answered again."""
    record = Record(id="a", messages=MESSAGES, topic="t")
    old = prediction(Prompt(record, 1), Completion(None, "error", error="too long"), "old")
    old["scores"] = {"exact_match": 0.0}
    row = prediction(Prompt(Record(old), 0), Completion("yo", "stop", 5, 2), "new")
    assert row == prediction(Prompt(record, 0), Completion("yo", "stop", 5, 2), "new")
    assert "error" not in row


def test_columns_that_bear_our_names_are_kept_under_fields():
    record = Record(
        id="a", messages=MESSAGES, model="gpt-4", fields={"label": 3}, usage={"tokens": 9}
    )
    row = prediction(Prompt(record, 0), Completion("yo", "stop"), "abc")
    assert row["model"] == "abc"
    assert row["fields"] == {"model": "gpt-4", "usage": {"tokens": 9}, "label": 3}
    assert record_of(row) == carried(record)
    assert record["model"] == "gpt-4"
