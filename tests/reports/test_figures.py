"""reports/figures: numbers as people read them, by the scale of the metric."""

from __future__ import annotations

import math

import pytest

from instructune.reports import figures


def test_names():
    assert figures.name_of("exact_match") == "exact match"
    assert figures.name_of("rouge_l:stemmer=true") == "ROUGE L:stemmer=true"
    assert figures.name_of("token_f1") == "token F1"
    assert figures.name_of("equal to a reference") == "equal to a reference"
    assert figures.at_start("exact match") == "Exact match"
    assert figures.at_start("") == ""


@pytest.mark.parametrize(
    ("spec", "value", "shown"),
    [
        ("exact_match", 0.9125, "0.912"),
        ("exact_match", None, "-"),
        ("bleu", 31.416, "31.42"),
        ("perplexity", 12.3456, "12.35"),
        ("kappa", -0.25, "-0.250"),
    ],
)
def test_a_score(spec, value, shown):
    assert figures.score(spec, value) == shown


def test_scores_are_told_apart():
    assert figures.scores("exact_match", 0.0, 0.9125) == ["0.00", "0.91"]
    assert figures.scores("exact_match", 0.901, 0.903) == ["0.901", "0.903"]
    assert figures.scores("exact_match", 0.5, 0.5) == ["0.50", "0.50"]
    assert figures.scores("exact_match", 0.90001, 0.90002) == ["0.9000", "0.9000"]
    assert figures.scores("bleu", 30.0, 31.26) == ["30.0", "31.3"]


def test_differences_and_intervals():
    assert figures.signed("exact_match", -0.5) == "-0.500"
    assert figures.signed("exact_match", 0.0) == "+0.000"
    assert figures.signed("bleu", None) == "-"
    assert figures.span("exact_match", [0.1, 0.25]) == "0.100 to 0.250"
    assert figures.span("exact_match", [-0.1, 0.25], sign=True) == "-0.100 to +0.250"
    assert figures.span("exact_match", None) == "-"


def test_p_values():
    assert [figures.p_value(p) for p in (None, 0.0, 0.00099, 0.001, 0.5, 1.0)] == [
        "-",
        "< 0.001",
        "< 0.001",
        "0.001",
        "0.500",
        "1.000",
    ]


def test_points():
    assert figures.point("exact_match") == figures.point("kappa") == 0.01
    assert figures.point("bleu") == 1
    assert math.isnan(figures.point("perplexity"))


def test_units():
    assert figures.units({"n": 8}) == (8, "rows")
    assert figures.units({"n": 8, "details": {"paired": {"units": 8}}}) == (8, "rows")
    assert figures.units({"n": 8, "details": {"paired": {"units": 4}}}) == (4, "ids")
    assert figures.units({"n": 8, "n_clusters": 3}) == (3, "clusters")
    assert figures.units({"n": 8, "details": {"paired": {}}}) == (8, "rows")


def test_a_slice():
    assert figures.place({"task": "qa", "kind": None}) == "task=qa kind=None"
    assert figures.place(None) == ""
