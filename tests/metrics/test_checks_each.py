"""checks_each: every check of every row weighs the same."""

from __future__ import annotations

import pytest

from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.statistics.tables import exact_sums

each, LOOSE = Metric("checks_each"), Metric("checks_each:loose=true")
NO_COMMAS, SHORT = {"check": "no_commas"}, {"check": "max_words", "args": {"n": 2}}


def answered(prediction, *checks, name="1"):
    return Answer(prediction, [], "none", {"id": name, "checks": list(checks)})


def test_checks_are_counted_not_rows():
    answers = [
        answered("one, two", NO_COMMAS, SHORT, name="1"),
        answered("one", NO_COMMAS, name="2"),
        answered(None, NO_COMMAS, SHORT, name="3"),
    ]
    sums = exact_sums(each.statistics(answers))
    assert float(each.value(sums)) == pytest.approx(2 / 5)
    assert each.details(answers, sums)["per_check"] == {
        "max_words": {"passed": 0.5, "n": 2.0},
        "no_commas": {"passed": pytest.approx(1 / 3), "n": 3.0},
    }
    assert [each.row_score(answer) for answer in answers[:2]] == [0.5, 1.0]


def test_a_check_named_twice_counts_twice():
    twice = [SHORT, {"check": "max_words", "args": {"n": 1}}]
    answers = [answered("one two", *twice)]
    sums = exact_sums(each.statistics(answers))
    assert float(each.value(sums)) == 0.5
    assert each.details(answers, sums)["per_check"] == {"max_words": {"passed": 0.5, "n": 2.0}}


def test_loose():
    answers = [answered("Sure, so:\none", NO_COMMAS, SHORT)]
    assert float(each.value(exact_sums(each.statistics(answers)))) == 0.0
    assert float(LOOSE.value(exact_sums(LOOSE.statistics(answers)))) == 1.0
