"""accepted: a row goes with the reason that it bears."""

from __future__ import annotations

from instructune.filters.accepted import Filter
from instructune.records import Record


def test_the_reason_is_the_row_s():
    drops = Filter(None)
    assert drops(Record({"id": "1", "text": "a", "unusable": "the answer is empty"})) == (
        "the answer is empty"
    )
    assert drops(Record({"id": "1", "text": "a"})) is None
