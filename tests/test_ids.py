"""ids: the row's own or its content's, and never the same one twice."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.ids import HashSet, Ids
from instructune.records import Record, content_id


def record(text: str, **more) -> Record:
    return Record(text=text, **more)


def test_own_ids_are_kept_and_others_come_from_the_content():
    ids = Ids("own")
    assert ids.give(record("a", id="x1"), "f") == "x1"
    made = ids.give(record("b"), "f")
    assert made == content_id({"text": "b"})
    assert len(made) == 16
    assert ids.give(record("c", id=""), "f") == content_id({"text": "c"})


def test_a_repeated_own_id_is_refused():
    ids = Ids("own")
    ids.give(record("a", id="x"), "f")
    with pytest.raises(ValueError) as caught:
        ids.give(record("b", id="x"), "f")
    assert str(caught.value) == "id 'x' is repeated (--id hash or --id prefix makes new ones)"


def test_repeats_of_content_are_numbered():
    ids = Ids("own")
    name = content_id({"text": "a"})
    assert [ids.give(record("a"), "f") for _ in range(4)] == [
        name,
        f"{name}-2",
        f"{name}-3",
        f"{name}-4",
    ]


def test_a_number_that_was_somebody_s_own_is_passed_over():
    ids = Ids("own")
    name = content_id({"text": "a"})
    ids.give(record("z", id=f"{name}-2"), "f")
    assert [ids.give(record("a"), "f") for _ in range(3)] == [name, f"{name}-3", f"{name}-4"]


def test_an_own_id_that_looks_like_a_made_one_still_counts():
    ids = Ids("own")
    name = content_id({"text": "a"})
    ids.give(record("z", id=name), "f")
    assert ids.give(record("a"), "f") == f"{name}-2"
    with pytest.raises(ValueError):
        ids.give(record("y", id=name), "f")
    assert ids.give(record("x", id=name.upper()), "f") == name.upper()


def test_hash_replaces_and_prefix_extends_own_ids():
    assert Ids("hash").give(record("a", id="x"), "f") == content_id({"text": "a"})
    prefix = Ids("prefix")
    assert prefix.give(record("a", id="x"), "data/train.v1.jsonl") == "train.v1:x"
    assert prefix.give(record("a", id="x"), "data/train.v2.jsonl.gz") == "train.v2:x"
    assert prefix.give(record("b", id="x"), "data/test.jsonl") == "test:x"
    assert prefix.give(record("c", id="x"), "-") == "-:x"
    assert prefix.give(record("d"), "-") == content_id({"text": "d"})


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
