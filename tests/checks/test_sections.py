"""sections: so many headed sections."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"marker": "SECTION", "min": 2, "max": 2}, "SECTION 1\na\n**Section 2:** b", None),
        (
            {"marker": "SECTION", "min": 2},
            "SECTION 1\nsee section 2 below",
            "1 sections headed 'SECTION', at least 2 wanted",
        ),
        (
            {"marker": "Section", "max": 1},
            "Section I\nSection II",
            "2 sections headed 'Section', at most 1 allowed",
        ),
        ({"marker": "第X部分", "min": 2}, "第一部分\n甲\n第2部分\n乙", None),
        ({"marker": "Text", "min": 1}, "Text 1", None),
        (
            {"marker": "Day X", "min": 3},
            "Day 1\nDay 1\nDay 2",
            "2 sections headed 'Day X', at least 3 wanted",
        ),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("sections", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"marker": "", "min": 1}, "marker is empty"),
        ({"marker": "a"}, "needs min or max"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("sections", "an answer", **args)
    assert reason in found
