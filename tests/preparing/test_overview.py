"""overview: what a profile says in tables that fit a screen."""

from __future__ import annotations

from instructune.preparing import overview
from instructune.preparing.profile import Profile
from instructune.records import Record


def facts(*labels: str) -> dict:
    profile = Profile()
    for label in labels:
        profile.see(Record(id="1", text="one two", label=label, language="en"))
    return profile.facts()


def test_lengths_and_counts():
    found = overview.tables(facts("a", "a", "b"))
    assert list(found) == [
        "Lengths", "Field", "Language", "Task", "Kind", "Label",
        "Task x kind x language x length of the prompt",
    ]  # fmt: skip
    quantiles = dict.fromkeys(["least", "5%", "25%", "median", "75%", "95%", "most"], 2)
    assert {"": "prompt words", "sum": 6} | quantiles in found["Lengths"]
    assert found["Label"] == [
        {"label": "a", "rows": 2, "share": "66.7%"}, {"label": "b", "rows": 1, "share": "33.3%"},
    ]  # fmt: skip


def test_many_values_are_summed():
    rows = overview.tables(facts(*(f"l{i:02}" for i in range(20))))["Label"]
    assert len(rows) == 16
    assert rows[-1] == {"label": "and 5 more", "rows": 5, "share": "25.0%"}


def test_a_mix():
    told = {"source": "a", "rows": 1, "of_rows": 2, "size": 3, "of_size": 8, "share": 0.25}
    row = {"source": "a", "share": "25.0%", "rows": 1, "rows it has": 2}
    assert overview.mix([told], "rows") == [row]
    assert overview.mix([told], "words") == [row | {"words": 3, "words it has": 8}]


def test_nothing():
    assert overview.tables(Profile().facts()) == {}


def test_clusters():
    one = {"kept": "a", "rows": 3, "dropped": ["b", "c"], "jaccard": 0.9}
    more = {"kept": "d", "rows": 9, "dropped": ["e"], "jaccard": 1.0}
    assert overview.clusters([one, more]) == [
        {"kept": "a", "rows": 3, "least similarity": 0.9, "dropped": "b, c"},
        {"kept": "d", "rows": 9, "least similarity": 1.0, "dropped": "e, …"},
    ]
