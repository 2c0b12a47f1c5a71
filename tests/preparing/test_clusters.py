"""clusters: sizes by hand, the largest first, lists bounded, other reasons not counted."""

from __future__ import annotations

from instructune.preparing.clusters import Clusters
from instructune.reading.steps import Reason
from instructune.records import Record


def dropped(name: str, reason: str) -> Record:
    facts = getattr(reason, "facts", {})
    return Record({"id": name, "text": "t", "dropped": reason} | facts)


def test_sizes_and_the_largest():
    passed: list[Record] = []
    clusters = Clusters()
    assert not clusters
    drop = clusters.watching(passed.append)
    for i in range(12):
        drop(dropped(f"a{i}", Reason("duplicate", duplicate_of="a")))
    drop(dropped("b1", Reason("near duplicate", duplicate_of="b", jaccard=0.9)))
    drop(dropped("b2", Reason("near duplicate", duplicate_of="b", jaccard=0.85)))
    drop(dropped("b3", Reason("duplicate", duplicate_of="b")))
    for name in "cd":
        drop(dropped(f"{name}1", Reason("duplicate", duplicate_of=name)))
    drop(dropped("e", Reason("shares text with evaluation rows", touches="f:1")))
    drop(Record(id="f", text="t", dropped="too long", duplicate_of="of an earlier run"))
    facts = clusters.facts()
    assert facts["largest"] == [
        {"kept": "a", "rows": 13, "dropped": [f"a{i}" for i in range(10)], "jaccard": 1.0},
        {"kept": "b", "rows": 4, "dropped": ["b1", "b2", "b3"], "jaccard": 0.85},
        {"kept": "c", "rows": 2, "dropped": ["c1"], "jaccard": 1.0},
        {"kept": "d", "rows": 2, "dropped": ["d1"], "jaccard": 1.0},
    ]
    assert (facts["clusters"], facts["rows"]) == (4, 13 + 4 + 2 + 2)
    assert facts["sizes"] == {"2": 2, "4-7": 1, "8-15": 1}
    assert len(passed) == 19


def test_many_clusters():
    clusters = Clusters()
    drop = clusters.watching(None)
    for i in range(30):
        drop(dropped(f"{i}'", Reason("duplicate", duplicate_of=f"{i:02}")))
    drop(dropped("x", Reason("duplicate", duplicate_of="29")))
    facts = clusters.facts()
    assert facts["sizes"] == {"2": 29, "3": 1}
    assert [one["kept"] for one in facts["largest"]] == ["29", *(f"{i:02}" for i in range(19))]
