"""words: a list of one's own."""

from __future__ import annotations

import pytest

from instructune.filters.words import Filter, Options
from instructune.records import Record


@pytest.fixture
def name(write) -> str:
    return write("bad.txt", "scum\n坏蛋\n")


def chat(prompt: str, answer: str, rejected: str = "") -> Record:
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    record = Record(id="1", messages=turns)
    if rejected:
        record["rejected"] = [{"role": "assistant", "content": rejected}]
    return record


def test_terms(name):
    drops = Filter(Options(file=name))
    assert drops(chat("Scum!", "b")) == "more than 0 listed words"
    assert drops(chat("a", "大坏蛋们")) == "more than 0 listed words"
    assert drops(chat("a scumble", "b")) is None
    assert drops(chat("a", "b", "scum")) == "more than 0 listed words"


def test_sides_and_numbers(name):
    assert Filter(Options(file=name, side="answer"))(chat("scum", "b")) is None
    assert Filter(Options(file=name, side="prompt"))(chat("scum", "b"))
    assert Filter(Options(file=name, side="both"))(chat("a", "b", "scum")) is None
    assert Filter(Options(file=name, most=1))(chat("scum", "b")) is None
    assert Filter(Options(file=name, most=1))(chat("scum scum", "b")) == "more than 1 listed words"
