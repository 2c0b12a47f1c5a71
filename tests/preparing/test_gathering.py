"""gathering: filters of the whole, sides, and the count of what goes."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.errors import UserError
from instructune.filters.duplicates import Filter, Options
from instructune.preparing.gathering import Gathered, Plan, gather
from instructune.preparing.instructions import Instructions
from instructune.preparing.splits import Splitter
from instructune.reading.rowwork import Outcome
from instructune.reading.spool import Spool
from instructune.reading.tally import Tally
from instructune.records import Record


def gathered(rows: list[Record], spool: Spool, plan: Plan) -> Gathered:
    """The rows in two blocks, as outcomes bring them."""
    cut = len(rows) // 2
    return gather(
        [
            Outcome("f", part, [], {}, Tally(), gleaned=[g.glean(part) for g in plan.gleaners()])
            for part in (rows[:cut], rows[cut:])
        ],
        spool,
        plan,
    )


def records(*texts: str) -> list[Record]:
    return [
        Record({"id": str(i), "text": text, "split": "old", "origin": f"f:{i}"})
        for i, text in enumerate(texts)
    ]


def test_the_first_reason_counts_and_sides_are_dealt_among_the_rest():
    rows = records("a", "a", "b", "B", "c", "d")
    tally = Tally(rows_in=6, out=6)
    filters = [Filter(Options()), Filter(Options(on="prompt", keep="longest"))]
    with Spool() as spool:
        splitter = Splitter({"x": 0.5, "y": 0.5}, exact=True)
        found = gathered(rows, spool, Plan(filters, splitter, by_own_split=True))
        dropped = list(found.dropped(tally))
        kept = list(found)
    assert [(row["id"], row["dropped"], row["duplicate_of"]) for row in dropped] == [
        ("1", "duplicate", "0"),
        ("3", "duplicate", "2"),
    ]
    assert tally.dropped == {"duplicate": 2}
    tally.check()
    assert [row["id"] for row in kept] == ["0", "2", "4", "5"]
    assert Counter(row["split"] for row in kept) == {"x": 2, "y": 2}


def test_rows_keep_the_side_they_name():
    with Spool() as spool:
        found = gathered(records("a", "b"), spool, Plan(by_own_split=True))
        assert found.sides == {0: "old", 1: "old"}
        assert [row["split"] for row in found] == ["old", "old"]
    with Spool() as spool:
        assert gathered(records("a"), spool, Plan()).sides == {}


def test_examples_come_from_the_first_side_and_never_from_the_own_group(write):
    rows = [
        Record({"id": str(i), "text": f"t{i}", "label": "l", "group": f"g{i // 2}", "origin": "f"})
        for i in range(12)
    ]
    template = Instructions(
        write(
            "t.toml",
            "task='x'\n[[phrasing]]\ninstruction='say'\ninput='{{ text }}'\noutput='{{ label }}'",
        )
        + ":shots=3"
    )
    tally = Tally(rows_in=12, out=12)
    with Spool() as spool:
        splitter = Splitter({"train": 0.5, "test": 0.5}, exact=True)
        found = gathered(rows, spool, Plan(splitter=splitter))
        made = list(found.instructed([template], tally))
    side = {record["fields"]["text"]: record["split"] for record in made}
    group = {row["text"]: row["group"] for row in rows}
    for record in made:
        *shown, own = [turn["content"].split()[-1] for turn in record["messages"][::2]]
        assert len(set(shown)) == 3
        assert {side[text] for text in shown} == {"train"}
        assert group[own] not in {group[text] for text in shown}
    tally.check()


def test_phrasings_are_counted_and_rows_that_fit_none_named():
    chat = {"messages": [{"role": "user", "content": "q"}]}
    rows = [Record({"id": "1", "text": "t", "label": "l"}), Record({"id": "2"} | chat)]
    tally = Tally(rows_in=2, out=2)
    with Spool() as spool:
        found = gathered(rows, spool, Plan())
        made = list(found.instructed([Instructions("classification:phrasings=all")], tally))
    assert [record["id"] for record in made] == ["1-p1", "1-p2", "1-p3", "2"]
    assert (tally.out, tally.added) == (4, {"one row, several phrasings": 2})
    tally.check()
    rows = [Record({"id": "1", "text": "t", "origin": "f:7"})]
    with Spool() as spool:
        found = gathered(rows, spool, Plan())
        with pytest.raises(UserError, match=r"f:7: .* \(ner: entities, text; code: code, text\)"):
            list(found.instructed([Instructions("ner"), Instructions("code")], tally))


def test_labels_are_balanced_on_the_first_side_alone():
    rows = [
        Record({"id": str(i), "text": f"word{i}", "label": "ab"[i % 4 == 0], "origin": "f"})
        for i in range(40)
    ]
    tally = Tally(rows_in=40, out=40)
    with Spool() as spool:
        splitter = Splitter({"train": 0.5, "test": 0.5}, exact=True)
        found = gathered(rows, spool, Plan(splitter=splitter, balance="label"))
        list(found.dropped(tally))
        kept = list(found)
    counts = Counter((row["split"], row["label"]) for row in kept)
    assert counts == {("train", "a"): 5, ("train", "b"): 5, ("test", "a"): 15, ("test", "b"): 5}
    assert tally.dropped == {"over the size that label values are balanced to": 10}
    tally.check()


def test_a_dropped_row_keeps_its_own_columns():
    rows = [
        Record({"id": str(i), "text": f"word{i}", "source": "web", "label": "l"}) for i in "abc"
    ]
    plan = Plan(shares={"f": 1.0}, total=2, typed={"f": "f"}, balance="label=1")
    tally = Tally(rows_in=3, out=3)
    with Spool() as spool:
        found = gathered(rows, spool, plan)
        dropped = list(found.dropped(tally))
    assert [(row["source"], row["label"]) for row in dropped] == [("web", "l")] * 2
    assert sorted((row["dropped"], row.get("mix_source")) for row in dropped) == [
        ("over its source's share of the mix", "f"),
        ("over the size that label values are balanced to", None),
    ]
    assert [(one["rows"], one["of_rows"]) for one in found.mix] == [(2, 3)]


def rows_with_copies() -> list[Record]:
    made = []
    for i, name in enumerate(f"word{i}" for i in range(20)):
        row = {"text": name, "group": name, "origin": "f:1", "split": "train" if i % 4 else "test"}
        made += [Record(row, id=f"{i}"), Record(row, id=f"{i}~noise1", augmented="noise")]
    return made


@pytest.mark.parametrize("exact", [False, True])
def test_augmented_rows_are_on_the_first_side_alone(exact):
    tally = Tally(rows_in=40, out=40)
    with Spool() as spool:
        plan = Plan(splitter=Splitter({"train": 0.7, "test": 0.3}, exact=exact))
        found = gathered(rows_with_copies(), spool, plan)
        dropped = list(found.dropped(tally))
        kept = list(found)
    sides = {row["id"]: row["split"] for row in kept}
    for i in range(20):
        assert (f"{i}~noise1" in sides) == (sides[str(i)] == "train")
        assert sides.get(f"{i}~noise1", "train") == "train"
    tests = list(sides.values()).count("test")
    assert tests == 6 if exact else tests > 0
    assert tally.dropped == {"augmented, so for the first side alone": tests}
    assert {row["augmented"] for row in dropped} == {"noise"}
    tally.check()


def test_augmented_rows_that_name_a_side():
    tally = Tally(rows_in=40, out=40)
    with Spool() as spool:
        found = gathered(rows_with_copies(), spool, Plan(by_own_split=True))
        list(found.dropped(tally))
        kept = list(found)
    assert Counter((row["split"], "augmented" in row) for row in kept) == {
        ("train", False): 15, ("train", True): 15, ("test", False): 5,
    }  # fmt: skip
    with Spool() as spool:  # without sides nothing is dropped
        assert len(gathered(rows_with_copies(), spool, Plan()).kept()) == 40
