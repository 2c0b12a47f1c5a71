"""noise: slips, gaps and turns, with labels, spans and answers right."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.records import Record
from instructune.transforms.noise import Options, Transform

TEXT = "Please describe the old harbour and never forget the lighthouse near the northern rocks"


def copied(record: Record, **options: Any) -> list[Record]:
    return Transform(Options(**options))(record, Counter())


def test_typos_keep_words_apart_and_answers_right():
    turns = [{"role": "user", "content": TEXT}, {"role": "assistant", "content": "A long answer"}]
    (first, copy) = copied(Record(id="a", messages=turns), typos=1.0)
    before, after = TEXT.split(), copy["messages"][0]["content"].split()
    assert len(before) == len(after)
    assert first["messages"] == turns
    assert copy["messages"][1] == turns[1]
    for old, new in zip(before, after, strict=True):
        assert new[0] == old[0]
        assert (new == old) == (len(old) < 4 or old == "never")
        assert abs(len(new) - len(old)) < 2


def test_dropout_spares_negations_and_leaves_something():
    (_, copy) = copied(Record(id="a", text=TEXT), typos=0, dropout=1.0)
    assert copy["text"].split() == ["never"]
    (_, copy) = copied(Record(id="a", text="我们今天不去"), typos=0, dropout=1.0)
    assert copy["text"] == "不"


def test_order_turns_neighbours_round():
    (_, copy) = copied(Record(id="a", text="one two three four, five"), typos=0, order=1.0)
    assert copy["text"] == "two one four three, five"


def test_what_stays():
    text = 'Ann Lee wrote "keep this": `code here` 1234 budgets'
    record = Record(
        id="a",
        text=text,
        entities=[{"start": 0, "end": 7, "type": "P"}],
        checks=[{"check": "include", "args": {"word": "budgets"}}],
    )
    (_, copy) = copied(record, typos=1.0)
    assert copy["text"].replace(copy["text"].split()[2], "wrote") == text
    assert copy["entities"] == record["entities"]
    assert len(copied(record, typos=0, dropout=1.0)) == 1  # the last free word is not left out


def test_tokens_keep_their_tags():
    tokens = ["Please", "visit", "Lower", "Manhattan", "tomorrow", "."]
    tags = ["O", "O", "B-L", "I-L", "O", "O"]
    (_, copy) = copied(Record(id="a", tokens=tokens, tags=tags), typos=0.5, dropout=0.4)
    assert len(copy["tokens"]) == len(copy["tags"])
    at = copy["tags"].index("B-L")
    assert copy["tokens"][at : at + 2] == ["Lower", "Manhattan"]
    (_, turned) = copied(Record(id="a", tokens=tokens, tags=tags), typos=0, order=1.0)
    assert turned["tokens"] == ["visit", "Please", "Lower", "Manhattan", ".", "tomorrow"]


def test_copies_and_seeds():
    record = Record(id="a", text=TEXT, label="x")
    made = copied(record, typos=0.5, copies=3)
    assert [one["id"] for one in made] == ["a", "a~noise1", "a~noise2", "a~noise3"]
    assert {one["label"] for one in made} == {"x"}
    assert made == copied(record, typos=0.5, copies=3)
    assert made != copied(record, typos=0.5, copies=3, seed=1)


@pytest.mark.parametrize(
    "options", [{"typos": 0}, {"typos": 0.6, "order": 0.6}, {"typos": -0.1}, {"copies": 0}]
)
def test_wrong_options(options):
    with pytest.raises(UserError):
        Options(**options)


@given(st.text("abcdefg 不好\n,.", min_size=1, max_size=40), st.integers(0, 9), st.data())
def test_entities_keep_their_text(text, seed, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    record = Record(id="a", text=text, entities=[{"start": start, "end": end, "type": "X"}])
    for one in copied(record, typos=0.3, dropout=0.3, order=0.3, seed=seed):
        (entity,) = one["entities"]
        assert one["text"][entity["start"] : entity["end"]] == text[start:end]
