"""augmenting: marks, groups, draws, and what stays letter for letter."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.preparing.augmenting import apart, augmented, draws, exact_parts, in_case_of
from instructune.records import Record


def test_copies_are_marked_and_share_a_group():
    record, changes = Record(id="a", text="x"), Counter()
    made = augmented(record, "noise", 3, lambda n: Record(record | {"text": "xyy"[:n]}), changes)
    assert made == [
        {"id": "a", "text": "x", "group": "a"},
        {"id": "a~noise2", "text": "xy", "group": "a", "augmented": "noise"},
        {"id": "a~noise3", "text": "xyy", "group": "a", "augmented": "noise"},
    ]
    assert changes == {"copied with noise": 1}
    assert augmented(made[1], "noise", 1, lambda n: Record(id="b"), changes) == [made[1]]


def test_a_group_stays_and_equal_copies_are_one():
    record = Record(id="a", text="x", group="g")
    made = augmented(record, "swap", 2, lambda n: Record(record | {"text": "y"}), Counter())
    assert [(one["id"], one["group"]) for one in made] == [("a", "g"), ("a~swap1", "g")]
    assert augmented(record, "swap", 2, lambda n: record, Counter()) == [record]


def test_draws_depend_on_seed_and_id_alone():
    one, same = (draws(1, Record(id="a", text=t), "noise", 1).random() for t in "xy")
    others = [
        draws(*given).random()
        for given in (
            (2, Record(id="a"), "noise", 1),
            (1, Record(id="b"), "noise", 1),
            (1, Record(id="a"), "swap", 1),
            (1, Record(id="a"), "noise", 2),
        )
    ]
    assert one == same
    assert len({one, *others}) == 5
    assert draws(0, Record(id="a"), "noise", 1).random() == pytest.approx(0.8, abs=0.8)


def test_what_must_stay():
    text = 'Say "good day" to Ann in 5 lines with `x y` and budget: see http://a.b/c, a cat, 北京市'
    record = Record(
        id="a",
        text=text,
        entities=[{"start": 18, "end": 21, "type": "P"}],
        checks=[{"check": "include", "args": {"words": ["budget"]}}],
        references=["cat", "北京"],
    )
    held = {text[a:b] for a, b in exact_parts(record)(text)}
    assert held == {'"good day"', "Ann", "5", "`x y`", "budget", "http://a.b/c,", "cat", "北京"}


def test_small_things():
    assert apart([(4, 6), (0, 2), (1, 3), (0, 3)], [(5, 9)]) == [(0, 3)]
    assert in_case_of("HE", "she") == "SHE"
    assert in_case_of("He", "she") == "She"
    assert in_case_of("he", "Ann") == "Ann"
    assert in_case_of("I", "we") == "We"
