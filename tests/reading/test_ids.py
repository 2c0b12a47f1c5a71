"""ids: the row's own or its content's, and never the same one twice."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from instructune.reading.ids import HashSet, Ids, numbered, propose
from instructune.records import Record, content_id


def record(text: str, **more) -> Record:
    return Record(text=text, **more)


def give(ids: Ids, given: Record, source: str = "f", mode: str = "own") -> str | None:
    name, own, hashed = propose(given, source, mode)
    number = ids.answer([(hashed, own)]).get(0)
    return name if number is None else numbered(name, number) if number else None


def test_own_ids_are_kept_and_others_come_from_the_content():
    ids = Ids()
    assert give(ids, record("a", id="x1")) == "x1"
    made = give(ids, record("b"))
    assert made == content_id({"text": "b"})
    assert len(made) == 16
    assert give(ids, record("c", id="")) == content_id({"text": "c"})


def test_a_repeated_own_id_has_no_answer():
    ids = Ids()
    made = [propose(record(text, id=name), "f", "own") for text, name in ("ax", "by", "cx")]
    assert ids.answer([(one.hash, one.own) for one in made]) == {2: 0}


def test_repeats_of_content_are_numbered():
    ids = Ids()
    name = content_id({"text": "a"})
    assert [give(ids, record("a")) for _ in range(4)] == [
        name,
        f"{name}-2",
        f"{name}-3",
        f"{name}-4",
    ]


def test_a_number_that_was_somebody_s_own_is_passed_over():
    ids = Ids()
    name = content_id({"text": "a"})
    give(ids, record("z", id=f"{name}-2"))
    assert [give(ids, record("a")) for _ in range(3)] == [name, f"{name}-3", f"{name}-4"]


def test_an_own_id_that_looks_like_a_made_one_still_counts():
    ids = Ids()
    name = content_id({"text": "a"})
    give(ids, record("z", id=name))
    assert give(ids, record("a")) == f"{name}-2"
    assert give(ids, record("y", id=name)) is None
    assert give(ids, record("x", id=name.upper())) == name.upper()


def test_hash_replaces_and_prefix_extends_own_ids():
    assert give(Ids(), record("a", id="x"), mode="hash") == content_id({"text": "a"})
    ids = Ids()
    for text, name, source, found in (
        ("a", "x", "data/train.v1.jsonl", "train.v1:x"),
        ("a", "x", "data/train.v2.jsonl.gz", "train.v2:x"),
        ("b", "x", "data/test.jsonl", "test:x"),
        ("c", "x", "-", "-:x"),
        ("d", "", "-", content_id({"text": "d"})),
    ):
        assert give(ids, record(text, id=name), source, "prefix") == found


def test_the_content_id_knows_no_order_no_id_and_no_origin():
    one = content_id({"text": "a", "b": {"x": 1, "y": 2}, "n": 2**80})
    assert one == content_id(
        {"n": 2**80, "b": {"y": 2, "x": 1}, "id": "i", "text": "a", "origin": "f:1"}
    )
    assert content_id({"text": "a"}) != content_id({"text": "a", "label": "b"})
    assert content_id({"text": "a"}) == "9480e9c8c5cf5793"  # a change breaks ids of old artifacts


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5)))
def test_a_hash_set_is_a_set(values):
    found, known = HashSet(), set()
    for value in values:
        value = value or 1
        assert found.add(value) == (value not in known)
        known.add(value)


def test_a_hash_set_grows_and_stays_small():
    draw = random.Random(0)
    values = [draw.getrandbits(64) for _ in range(50_000)]
    found = HashSet()
    assert all(found.add(value) for value in values)
    assert not any(found.add(value) for value in values)
    assert len(found._slots) * 8 <= 24 * len(values)
