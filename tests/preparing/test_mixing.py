"""mixing: exact quotas, what happens when a source runs out, and labels of equal size."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.preparing.mixing import balanced, mixed, told, weights
from instructune.reading.spool import Spool
from instructune.records import Record


def mix(counts: dict[str, int], shares: dict[str, float], total: Any = None, seed: int = 0) -> Any:
    """How many rows of each source stay."""
    sources = dict(enumerate(name for name, count in counts.items() for _ in range(count)))
    order = {number: f"id{number}" for number in sources}
    gone = mixed(dict.fromkeys(sources, 1), sources, shares, total, order, seed)
    return Counter(sources[number] for number in sources if number not in gone)


@pytest.mark.parametrize(
    ("counts", "shares", "total", "expected"),
    [
        ({"a": 10, "b": 10}, {"a": 0.5, "b": 0.5}, None, {"a": 10, "b": 10}),
        ({"a": 10, "b": 90}, {"a": 0.5, "b": 0.5}, None, {"a": 10, "b": 10}),
        ({"a": 10, "b": 90}, {"a": 0.25, "b": 0.75}, None, {"a": 10, "b": 30}),
        ({"a": 10, "b": 90}, {"a": 0.1, "b": 0.9}, None, {"a": 10, "b": 90}),
        ({"a": 10, "b": 90}, {"a": 0.5, "b": 0.5}, 7, {"a": 4, "b": 3}),
        ({"a": 10, "b": 90, "c": 3}, {"a": 0.5, "b": 0.5, "c": 0}, 6, {"a": 3, "b": 3}),
        (
            {"a": 9, "b": 9, "c": 9},
            {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3},
            None,
            dict.fromkeys("abc", 9),
        ),
    ],
)
def test_quotas(counts, shares, total, expected):
    assert mix(counts, shares, total) == expected


def test_a_source_that_runs_out_is_named():
    with pytest.raises(UserError) as caught:
        mix({"a": 10, "b": 90}, {"a": 0.5, "b": 0.5}, 30)
    assert str(caught.value.where) == "a"
    assert "wants 15 of it, it has 10" in caught.value.reason
    assert "--mix-total 20 is the most" in (caught.value.hint or "")


def test_words_are_counted_to_within_a_row():
    sizes = dict.fromkeys(range(10), 7) | dict.fromkeys(range(10, 20), 3)
    sources = {number: "a" if number < 10 else "b" for number in sizes}
    order = {number: str(number) for number in sizes}
    gone = mixed(sizes, sources, {"a": 0.5, "b": 0.5}, None, order, 0)
    left = Counter(sources[number] for number in sizes if number not in gone)
    assert left == {"a": 5, "b": 10}  # 35 of 30 words, 30 of 30


def test_the_seed_decides_which():
    kept = [
        frozenset(
            set(range(50))
            - mixed(
                dict.fromkeys(range(50), 1),
                dict.fromkeys(range(50), "a"),
                {"a": 1.0},
                20,
                {number: str(number) for number in range(50)},
                seed,
            ).keys()
        )
        for seed in (0, 0, 1)
    ]
    assert kept[0] == kept[1] != kept[2]
    assert {len(one) for one in kept} == {20}


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 40), min_size=1),
    st.lists(st.floats(0.05, 5), min_size=4, max_size=4),
)
def test_the_mix_is_exact_and_as_large_as_can_be(counts, given_weights):
    shares = dict(zip(counts, given_weights, strict=False))
    shares = {name: weight / sum(shares.values()) for name, weight in shares.items()}
    left = mix(counts, shares)
    total = sum(left.values())
    for name, share in shares.items():
        assert abs(left[name] - share * total) <= 1
    limit = min(counts[name] / share for name, share in shares.items())
    assert total == int(limit + 1e-9)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (["a=1", "b=3"], {"a": 0.25, "b": 0.75}),
        (["b=0.2", "a=0"], {"b": 1.0, "a": 0.0}),
    ],
)
def test_weights(pairs, expected):
    assert weights(pairs, ["a", "b"]) == expected


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["a=1"], "'b' has no weight"),
        (["a=1", "c=2"], "'c' is none of the sources"),
        (["a", "b=1"], "expected SOURCE=WEIGHT, got 'a'"),
        (["a=x", "b=1"], "expected SOURCE=WEIGHT"),
        (["a=-1", "b=1"], "'-1' is no weight"),
        (["a=nan", "b=1"], "'nan' is no weight"),
        (["a=0", "b=0"], "all weights are 0"),
    ],
)
def test_wrong_weights(pairs, message):
    with pytest.raises(UserError, match=message):
        weights(pairs, ["a", "b"])


def test_a_name_that_is_no_source_is_told_what_to_do():
    for name, hint in (("b.jsnl", "did you mean 'b.jsonl'?"), ("c", "name it among the sources")):
        with pytest.raises(UserError, match="is none of the sources") as caught:
            weights([f"{name}=1"], ["a.jsonl", "b.jsonl"])
        assert hint in (caught.value.hint or "")


def test_what_each_source_gives():
    sizes = {0: 4, 1: 4, 2: 3, 3: 5}
    sources = {0: "a", 1: "a", 2: "b", 3: "b"}
    assert told(sizes, sources, {3}, {"b": 0.5, "a": 0.5, "c": 0.0}) == [
        {"source": "b", "rows": 1, "of_rows": 2, "size": 3, "of_size": 8, "share": 3 / 11},
        {"source": "a", "rows": 2, "of_rows": 2, "size": 8, "of_size": 8, "share": 8 / 11},
        {"source": "c", "rows": 0, "of_rows": 0, "size": 0, "of_size": 0, "share": 0.0},
    ]


def test_a_field_to_balance_by_that_rows_lack():
    with Spool() as rows:
        rows.append(Record(id="1", text="t", label="a", origin="f:1"))
        rows.append(Record(id="2", text="t", label=3, origin="f:2"))
        with pytest.raises(UserError, match="f:1: labl is missing") as caught:
            balanced(rows, [0], "labl", None, 0)
        assert caught.value.hint == "did you mean 'label'?"
        with pytest.raises(UserError, match="f:2: label is not a text"):
            balanced(rows, [1], "label", None, 0)


def test_balancing():
    with Spool() as rows:
        for number, label in enumerate("aaabbbbc" + "b"):
            row = {"id": str(number), "text": "t", "label": label, "origin": f"f:{number}"}
            rows.append(Record(row))
        for most, expected in ((None, {"a": 1, "b": 1, "c": 1}), (2, {"a": 2, "b": 2, "c": 1})):
            gone = balanced(rows, range(9), "label", most, 0)
            left = Counter(rows[number]["label"] for number in range(9) if number not in gone)
            assert left == expected
            assert {str(reason): reason.facts for reason in gone.values()} == {
                "over the size that label values are balanced to": {}
            }
        assert balanced(rows, [], "label", None, 0) == {}
        with pytest.raises(UserError, match="f:3: task is missing, so it cannot be balanced"):
            balanced(rows, [3], "task", None, 0)
