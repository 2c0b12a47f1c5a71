"""undecided: annotated rows need a label."""

from __future__ import annotations

from instructune.filters.undecided import Filter
from instructune.records import Record


def test_rows():
    drops = Filter(None)
    assert drops(Record(id="1", text="t", annotations={"a": "x"})) == "annotators undecided"
    assert drops(Record(id="1", text="t", annotations={"a": "x"}, label="x")) is None
    assert drops(Record(id="1", text="t")) is None
    assert drops(Record(id="1", text="t", annotations={})) is None
