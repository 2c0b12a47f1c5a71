"""reports/lengths: characters, tokens and finish reasons, counted by hand."""

from __future__ import annotations

from instructune.reports import lengths
from instructune.reports.pages import joined, page
from tests.scored import answered
from tests.wellformed import cells, elements


def test_characters_tokens_and_reasons():
    usage = [{"completion_tokens": 3}, {"completion_tokens": "x"}, "none", {"completion_tokens": 5}]
    reasons = ["stop", "<b>", "error", "stop"]
    now = answered(["a", "bb", None, "c" * 10], ["r"] * 4, usage=usage, finish_reason=reasons)
    before = answered(["a"] * 4, ["r"] * 4)
    assert cells(lengths.sections(now, before)) == [
        [
            ["characters", "", "least", "10 %", "median", "90 %", "most", "answers"],
            ["before", "", "1", "1", "1", "1", "1", "4"],
            ["now", "", "1", "1", "2", "2", "10", "3"],
        ],
        [
            ["tokens", "", "least", "10 %", "median", "90 %", "most", "answers"],
            ["now", "", "3", "3", "3", "3", "5", "2"],
        ],
        [
            ["finish reason", "before", "now"],
            ["stop", "0", "2"],
            ["<b>", "0", "1"],
            ["error", "0", "1"],
        ],
    ]


def test_nothing_to_measure():
    assert joined(lengths.sections(answered([1.0], [1.0], "number"), None)) == ""


def test_many_reasons_are_cut():
    rows = answered(["a"] * 30, ["a"] * 30, finish_reason=[f"r{i}" for i in range(30)])
    made = joined(lengths.sections(rows, None))
    elements(page("t", [made]))
    assert "and 20 more reasons" in made
