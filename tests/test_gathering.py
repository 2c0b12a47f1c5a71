"""gathering: filters of the whole, sides, and the count of what goes."""

from __future__ import annotations

from collections import Counter

from instructune.filters.duplicates import Filter, Options
from instructune.gathering import gather
from instructune.records import Record
from instructune.sources import Tally
from instructune.splits import Splitter
from instructune.spool import Spool


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
        found = gather(rows, spool, filters, splitter, by_own_split=True)
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
        found = gather(records("a", "b"), spool, [], None, by_own_split=True)
        assert found.sides == {0: "old", 1: "old"}
        assert [row["split"] for row in found] == ["old", "old"]
    with Spool() as spool:
        assert gather(records("a"), spool, [], None, by_own_split=False).sides == {}
