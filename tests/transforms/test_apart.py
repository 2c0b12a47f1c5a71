"""apart: a pair of texts becomes two rows that are known to belong together."""

from __future__ import annotations

from collections import Counter

from instructune.records import Record, fault
from instructune.transforms.apart import Transform


def test_a_pair_is_taken_apart():
    changes: Counter[str] = Counter()
    record = Record(id="p", texts=["He ran.", "She ran."], bias="gender", origin="f:1")
    made = Transform(None)(record, changes)
    both = {"bias": "gender", "origin": "f:1", "group": "p"}
    assert made == [
        both | {"id": "p-1", "text": "He ran.", "variant": "1"},
        both | {"id": "p-2", "text": "She ran.", "variant": "2"},
    ]
    assert [fault(one) for one in made] == [None, None]
    assert changes == {"pairs taken apart": 1}


def test_what_is_no_pair_stays_and_a_group_of_its_own_too():
    record = Record(id="t", text="x")
    assert Transform(None)(record, Counter()) == [record]
    grouped = Record(id="p", texts=["a", "b"], group="g")
    assert {one["group"] for one in Transform(None)(grouped, Counter())} == {"g"}
