"""reports/calibrated: the numbers of the metrics, for one side or two."""

from __future__ import annotations

import math

from instructune.reports import calibrated
from instructune.reports.pages import joined, page
from tests.scored import answered, measured
from tests.wellformed import elements

CHANCES = [0.9, 0.8, 0.6, 0.7]


def answers(chances=CHANCES, true="aaba"):
    scores = [{"a": math.log(c), "b": math.log1p(-c)} for c in chances]
    return answered(["a"] * len(true), list(true), "label", label_scores=scores)


def section(*sides):
    made = joined(calibrated.sections(*sides))
    elements(page("t", [made]))
    return made


def test_one_side():
    made = section(answers(), None)
    for spec in ("ece", "ece:adaptive=true", "brier"):
        assert f'<td class="number">{measured(spec, answers()):.3f}</td>' in made
    assert made.count('aria-label="reliability diagram"') == 1
    assert made.count("<title>") == 4
    assert "(lo, hi]" in made


def test_two_sides():
    made = section(answers(), answers([0.6] * 4))
    assert made.count('aria-label="reliability diagram"') == 2
    assert made.index("<h3>Before</h3>") < made.index("<h3>Now</h3>")
    plain = answered(["a"] * 4, list("aaba"), "label")
    assert section(answers(), plain).count('aria-label="reliability diagram"') == 1


def test_nothing_without_scores():
    assert section(answered(["a"], ["a"], "label"), None) == ""
    numbers = answered([1.0], [1.0], "number", label_scores=[{"a": 0.0}])
    assert section(numbers, None) == ""


def test_rows_that_lack_them_are_told():
    broken = answers()
    del broken[2].row["label_scores"]
    assert "Not computed: id &#x27;0002&#x27;: has no label_scores" in section(broken, None)


def test_the_order_of_rows_changes_nothing():
    assert section(answers()[::-1], None) == section(answers(), None)
