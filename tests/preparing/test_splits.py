"""splits: shares, whose side a row is on, and that nothing of one kind lands on two."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.preparing.splits import Splitter, own_sides, shares
from instructune.reading.spool import Spool
from instructune.records import Record

HALVES = {"train": 0.5, "test": 0.5}


def deal(rows: list[dict[str, Any]], sides: Any = HALVES, kept: Any = None, **options: Any) -> Any:
    found = Splitter(sides, **options)
    with Spool() as spool:
        for number, row in enumerate(rows):
            record = Record({"id": str(number)} | row)
            spool.append(record)
            found.see(found.glean([record]))
        return found.deal(spool, range(len(rows)) if kept is None else kept)


def texts(count: int, seed: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Texts of 8 letters each, none near another."""
    draw = random.Random(seed)
    return [{"text": " ".join(draw.choices("abcdefghijkl", k=8))} | more for _ in range(count)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train=0.8,valid=0.1,test=0.1", {"train": 0.8, "valid": 0.1, "test": 0.1}),
        (" a=0.5, b-2=0.5 ", {"a": 0.5, "b-2": 0.5}),
        ("all=1", {"all": 1.0}),
    ],
)
def test_shares(text, expected):
    assert shares(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train", "expected name=share, got 'train'"),
        ("a/b=1", "expected name=share"),
        ("=1", "expected name=share"),
        ("a=0.5,a=0.5", "'a' is given twice"),
        ("a=x", "'x' is not a share"),
        ("a=0,b=1", "from 0 to 1"),
        ("a=nan", "from 0 to 1"),
        ("a=0.8,b=0.1", "add up to 0.9, not 1"),
    ],
)
def test_wrong_shares(text, message):
    with pytest.raises(UserError, match=message):
        shares(text)


def test_shares_come_out_about_right_and_depend_on_the_seed():
    rows = texts(2000)
    dealt = deal(rows, {"train": 0.9, "test": 0.1})
    counts = Counter(dealt.values())
    assert 150 < counts["test"] < 250  # 200, with a standard deviation of 13
    other = deal(rows, {"train": 0.9, "test": 0.1}, seed=1)
    assert 280 < sum(dealt[i] != other[i] for i in dealt) < 440  # 360 expected


def test_appended_rows_move_no_other():
    rows = texts(300)
    before, after = deal(rows[:200]), deal(rows)
    assert {i: after[i] for i in before} == before


def test_groups_and_near_duplicates_stay_together_through_each_other():
    rows = texts(60)
    for number in (3, 17):
        rows[number]["group"] = "g"
    rows[40] = {"text": rows[17]["text"].upper() + "!"}
    rows[41] = rows[40] | {"group": "h"}
    rows[50]["group"] = "h"
    for seed in range(20):
        dealt = deal(rows, seed=seed)
        assert len({dealt[i] for i in (3, 17, 40, 41, 50)}) == 1
        exact = deal(rows, seed=seed, exact=True)
        assert len({exact[i] for i in (3, 17, 40, 41, 50)}) == 1
        assert sorted(Counter(exact.values()).values()) == [30, 30]


def test_planted_near_duplicates_never_cross():
    draw = random.Random(0)
    words = [f"w{i}" for i in range(999)]
    rows = []
    for _ in range(200):
        text = draw.choices(words, k=60)
        rows += [{"text": " ".join(text)}, {"text": " ".join([*text[:-1], "changed"])}]
    for exact in (False, True):
        dealt = deal(rows, exact=exact)
        assert all(dealt[i] == dealt[i + 1] for i in range(0, 400, 2))


def test_exact_is_exact_for_each_label_and_in_all():
    rows = texts(70, label="a") + texts(20, 1, label="b") + texts(10, 2, task="c")
    dealt = deal(rows, {"train": 0.8, "valid": 0.1, "test": 0.1}, exact=True)
    found = Counter((row.get("label", "c"), dealt[i]) for i, row in enumerate(rows))
    assert found == {
        ("a", "train"): 56, ("a", "valid"): 7, ("a", "test"): 7,
        ("b", "train"): 16, ("b", "valid"): 2, ("b", "test"): 2,
        ("c", "train"): 8, ("c", "valid"): 1, ("c", "test"): 1,
    }  # fmt: skip


def test_exact_sizes_are_those_of_rows_that_are_no_copies():
    rows = texts(20)
    for number, row in enumerate(rows):
        row["group"] = str(number)
    copies = [row | {"augmented": "noise"} for row in rows[:7] for _ in range(3)]
    dealt = deal([*rows, *copies], {"train": 0.8, "test": 0.2}, exact=True)
    assert Counter(dealt[i] for i in range(20)) == {"train": 16, "test": 4}
    assert all(dealt[20 + i] == dealt[i // 3] for i in range(21))


def test_what_small_labels_lack_is_made_good_in_all():
    rows = [row | {"label": f"l{i}"} for i, row in enumerate(texts(40))]
    dealt = deal(rows, {"train": 0.75, "test": 0.25}, exact=True)
    assert Counter(dealt.values()) == {"train": 30, "test": 10}


def test_only_kept_rows_are_dealt():
    rows = texts(10)
    assert sorted(deal(rows, kept=[1, 4])) == [1, 4]
    assert sorted(Counter(deal(rows, kept=[1, 4, 5, 6], exact=True).values()).values()) == [2, 2]


groups = st.lists(st.one_of(st.none(), st.sampled_from("abc")), max_size=20)


@given(groups, st.integers(0, 5), st.booleans())
@settings(deadline=None, max_examples=40)
def test_no_group_is_on_two_sides(given_groups, seed, exact):
    rows = [row | ({"group": g} if g else {}) for row, g in zip(texts(20), given_groups)]  # noqa: B905
    dealt = deal(rows, {"a": 0.4, "b": 0.3, "c": 0.3}, seed=seed, exact=exact)
    assert sorted(dealt) == list(range(len(rows)))
    for group in "abc":
        sides = {dealt[i] for i, row in enumerate(rows) if row.get("group") == group}
        assert len(sides) <= 1


def test_rows_that_name_their_side():
    with Spool() as spool:
        for row in ({"split": "train"}, {"split": "../x"}, {}):
            spool.append(Record({"id": "1", "text": "t", "origin": "f:1"} | row))
        assert own_sides(spool, [0]) == {0: "train"}
        with pytest.raises(UserError, match=r"f:1: split is '../x', which names no file"):
            own_sides(spool, [0, 1])
        with pytest.raises(UserError, match="f:1: has no split"):
            own_sides(spool, [2])
