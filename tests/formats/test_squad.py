"""squad: a record a question, whichever way it is nested."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.formats import squad

CONTEXT = "𝒜 cat sat. A dog ran."
ANSWERS = [{"text": "dog", "answer_start": 13}, {"text": "A dog", "answer_start": 11}]
ANSWERS += ANSWERS[:1]
QA = {"id": 7, "question": "Who ran?", "answers": ANSWERS}
MADE = {
    "messages": [
        {"role": "user", "content": f"{CONTEXT}\n\nWho ran?"},
        {"role": "assistant", "content": "dog"},
    ],
    "references": ["dog", "A dog"],
    "context": CONTEXT,
    "question": "Who ran?",
}


def convert(row):
    notes: Counter[str] = Counter()
    return squad.convert(row, notes), dict(notes)


def test_nested_and_flat_shapes_make_the_same_record():
    paragraph = {"context": CONTEXT, "qas": [QA]}
    article = {"title": "Pets", "paragraphs": [paragraph]}
    expected = {"id": "7"} | MADE | {"answers": ANSWERS, "title": "Pets", "group": "Pets"}
    assert convert({"data": [article], "version": "1.1"}) == ([expected], {})
    assert convert(article) == ([expected], {})
    lists = {"text": ["dog", "A dog"], "answer_start": [13, 11]}
    flat = {"id": "7", "title": "Pets", "context": CONTEXT, "question": "Who ran?"}
    assert convert(flat | {"answers": lists}) == ([expected | {"answers": lists}], {})


def test_a_context_without_title_is_the_group():
    one, two = convert({"context": CONTEXT, "qas": [QA, QA | {"id": 8}]})[0]
    assert one["group"] == two["group"]
    assert len(one["group"]) == 16
    assert "title" not in one


def test_starts_are_counted_in_code_points():
    _, notes = convert({"context": CONTEXT, "qas": [QA]})
    assert notes == {}
    wrong = QA | {"answers": [{"text": "dog", "answer_start": 14}]}  # as UTF-16 counts
    _, notes = convert({"context": CONTEXT, "qas": [wrong, QA]})
    assert notes == {"answers that do not stand at their answer_start": 1}


def test_a_question_without_answer_is_a_prompt():
    impossible = {"id": "x", "question": "Who?", "answers": [], "is_impossible": True}
    (made,), notes = convert({"context": CONTEXT, "qas": [impossible], "title": ""})
    assert [turn["role"] for turn in made["messages"]] == ["user"]
    assert "references" not in made
    assert made["is_impossible"] is True
    assert notes == {"questions without an answer": 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"data": {}, "version": 1}, "data must be a list of objects"),
        ({"context": CONTEXT, "qas": [5]}, "qas must be a list of objects"),
        ({"context": 5, "qas": []}, "context must be a string"),
        ({"context": CONTEXT, "qas": [{"question": None}]}, "question must be a string"),
        (
            {"context": CONTEXT, "qas": [QA | {"answers": [5]}]},
            "answers must hold objects with a text",
        ),
    ],
)
def test_what_is_wrong_is_told(row, reason):
    with pytest.raises(ValueError, match=reason):
        convert(row)


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"data", "version"}, True),
        ({"title", "paragraphs"}, True),
        ({"context", "question", "answers", "id"}, True),
        ({"question", "answers"}, False),
        ({"data"}, False),
    ],
)
def test_recognises(keys, known):
    assert squad.recognises(frozenset(keys)) == known
