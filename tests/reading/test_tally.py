"""tally: numbers add up, commonest first, and equal faults count together."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.jsonl import BadRow
from instructune.reading.tally import Faults, Tally


def test_a_merge_adds_everything_and_the_report_is_in_one_order():
    one = Tally(rows_in=3, out=2, rejected=Counter(bad=1), formats=Counter(text=2))
    two = Tally(rows_in=4, out=4, blank=1, added=Counter(more=1), dropped=Counter(long=1))
    two.formats = Counter(alpaca=2, text=1, chat=2)
    one.merge(two)
    one.check()
    assert one.as_dict() == {
        "rows_in": 7,
        "out": 6,
        "added": {"more": 1},
        "rejected": {"bad": 1},
        "dropped": {"long": 1},
        "formats": {"text": 3, "alpaca": 2, "chat": 2},
        "blank_lines": 1,
    }
    assert list(one.as_dict()["formats"]) == ["text", "alpaca", "chat"]


def test_a_row_that_is_nowhere_is_a_bug():
    with pytest.raises(AssertionError, match="rows lost: 3 came in or were added, 2 accounted"):
        Tally(rows_in=2, out=1, added=Counter(x=1), dropped=Counter(y=1)).check()


def test_what_is_left_out_is_one_ellipsis():
    faults = Faults()
    faults.add(BadRow("f:1", "row has no field 'chosen': name the column with --field", ""))
    assert list(faults.counts) == ["row has no field …"]


def test_equal_faults_count_together():
    faults = Faults()
    for n, reason in enumerate(["id 'a' is odd", "id 'b' is odd", "has 3 tags", "has 12 tags"]):
        faults.add(BadRow(f"f:{n}", reason, ""))
    assert faults.counts == {"id … is odd": 2, "has N tags": 2}
    assert str(faults.error("mend them")) == (
        "f:0: id 'a' is odd\n  4 bad rows in all:\n    id … is odd: f:0, f:1\n"
        "    has N tags: f:2, f:3\n  hint: mend them"
    )
