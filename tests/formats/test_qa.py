"""qa: questions with one answer or many."""

from __future__ import annotations

import pytest

from instructune.formats import qa


def made(prompt, answer=None, **more):
    messages = [{"role": "user", "content": prompt}]
    if answer is not None:
        messages.append({"role": "assistant", "content": answer})
    return [{"messages": messages} | more]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"question": "q", "answer": "a"}, made("q", "a", question="q")),
        (
            {"question": "q", "answer": ["a", "b", "a"]},
            made("q", "a", references=["a", "b"], question="q"),
        ),
        ({"question": "q", "answers": ["a"]}, made("q", "a", question="q")),
        ({"question": "q", "answer": 42}, made("q", "42", question="q")),
        ({"question": "q", "answer": None}, made("q", question="q")),
        ({"question": "q", "answer": []}, made("q", question="q")),
        (
            {"question": "q", "answer": {"value": "a", "aliases": ["b"], "type": "X"}},
            made("q", "a", references=["a", "b"], question="q"),
        ),
        (
            {"question": "q", "context": "c", "answer": "a", "answers": 5},
            made("c\n\nq", "a", question="q", context="c", answers=5),
        ),
    ],
)
def test_convert(row, expected):
    assert qa.convert(row) == expected


def test_system_and_wrong_columns():
    row = {"question": "q", "answer": "a", "system": "s"}
    assert qa.convert(row)[0]["messages"][0] == {"role": "system", "content": "s"}
    with pytest.raises(ValueError, match="answer must be a string or a list of strings"):
        qa.convert({"question": "q", "answer": [None]})
    with pytest.raises(ValueError, match="question must be a string"):
        qa.convert({"question": [], "answer": "a"})
    with pytest.raises(KeyError, match="answer"):
        qa.convert({"question": "q"})


def test_recognises():
    assert qa.recognises(frozenset({"question", "answer"}))
    assert not qa.recognises(frozenset({"question", "answers", "context"}))  # SQuAD's
    assert not qa.recognises(frozenset({"question", "answer", "messages"}))
    assert not qa.recognises(frozenset({"question", "answer", "text"}))
