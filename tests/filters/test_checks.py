"""checks: a row whose own reference breaks its own checks is dropped, named by the check."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.filters.checks import Filter, Options
from instructune.records import Record

THREE_WORDS = {"check": "max_words", "args": {"n": 3}}


def chat(answer: str | None, checks: list[dict[str, object]] | None, **more: object) -> Record:
    turns = [{"role": "user", "content": "do"}]
    if answer is not None:
        turns.append({"role": "assistant", "content": answer})
    row = {"id": "1", "messages": turns} | more
    return Record(row if checks is None else row | {"checks": checks})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (chat("one two three", [THREE_WORDS]), None),
        (chat("one two three four", [THREE_WORDS]), "reference fails max_words"),
        (chat("one, two", [THREE_WORDS, {"check": "no_commas"}]), "reference fails no_commas"),
        (chat("one", [{"check": "max_word"}]), "reference fails max_word"),
        (chat("one", [{"check": "max_words", "args": {}}]), "reference fails max_words"),
        (chat("one two three four", None), None),
        (chat("one two three four", []), None),
        (chat(None, [THREE_WORDS]), None),
        (chat("a b c d", [THREE_WORDS], references=["a b c d", "a"]), None),
        (chat("a", [THREE_WORDS], references=["a b c d"]), "reference fails max_words"),
        (chat("a", [THREE_WORDS], label=1.5), "reference fails max_words"),
    ],
)
def test_the_best_reference_decides(record, reason):
    assert Filter(Options())(record) == reason


def test_all_references():
    record = chat("a", [THREE_WORDS], references=["a", "a b c d"])
    assert Filter(Options(references="all"))(record) == "reference fails max_words"
    assert Filter(Options(references="any"))(record) is None


def test_loose():
    record = chat("Sure, here you are:\none two", [{"check": "no_commas"}])
    assert Filter(Options())(record) == "reference fails no_commas"
    assert Filter(Options(loose=True))(record) is None


def test_references_must_be_any_or_all():
    with pytest.raises(UserError, match="any or all"):
        Options(references="some")
