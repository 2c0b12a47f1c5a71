"""searched: where lines and dots of a search are drawn, by hand."""

from __future__ import annotations

import re

import pytest

from instructune.reports import searched
from instructune.reports.pages import page
from instructune.sweeping.space import Parameter
from instructune.sweeping.trials import Trial
from tests.wellformed import elements

TRIALS = [
    Trial(0, {"learning_rate": 1e-4, "schedule": "cosine"}, "complete", 4.0),
    Trial(1, {"learning_rate": 1e-2, "schedule": "linear"}, "complete", 2.0),
    Trial(2, {"learning_rate": 1e-3, "schedule": "cosine"}, "pruned", 9.0),
    Trial(3, {"learning_rate": 1e-3}, "failed", reason="<b>"),
    Trial(4, {"learning_rate": 1e-3, "schedule": "linear"}, "complete", 3.0),
]
RATE = Parameter("learning_rate", low=1e-4, high=1e-2, log=True)
SCHEDULE = Parameter("schedule", ("cosine", "linear", "constant"))


def attributes(drawing: str, tag: str, name: str) -> list[str]:
    elements(page("t", [drawing]))  # type: ignore[list-item]
    return re.findall(rf'<{tag} [^>]*\b{name}="([^"]*)"', drawing)


def test_axes():
    rate = searched.axis_of(RATE, TRIALS)
    assert rate.places == {0: 0.0, 1: 1.0, 2: 0.5, 3: 0.5, 4: 0.5}
    assert rate.marks == [(0.0, "0.0001"), (1.0, "0.01")]
    schedule = searched.axis_of(SCHEDULE, TRIALS)
    assert schedule.places == {0: 0.0, 1: 0.5, 2: 0.0, 4: 0.5}
    assert schedule.marks == [(0.0, "cosine"), (0.5, "linear"), (1.0, "constant")]


@pytest.mark.parametrize(
    ("sign", "places", "marks"),
    [
        (1, {0: 0.0, 1: 1.0, 4: 0.5}, [(0.0, "4"), (1.0, "2")]),
        (-1, {0: 1.0, 1: 0.0, 4: 0.5}, [(0.0, "2"), (1.0, "4")]),
    ],
)
def test_the_better_value_is_above(sign, places, marks):
    axis = searched.axis_of_values("eval_loss", TRIALS, sign)
    assert (axis.places, axis.marks) == (places, marks)


def test_values_that_are_all_the_same():
    same = [Trial(i, {}, "complete", 2.0) for i in range(2)]
    assert searched.axis_of_values("m", same, 1).places == {0: 0.5, 1: 0.5}
    assert attributes(searched.values(same, 1, "m"), "circle", "cy") == ["110.0", "110.0"]


def test_a_line_crosses_each_axis_where_its_values_are():
    axes = [searched.axis_of(RATE, TRIALS), searched.axis_of(SCHEDULE, TRIALS)]
    axes.append(searched.axis_of_values("eval_loss", TRIALS, 1))
    drawn = searched.parallel(axes, TRIALS, 1)
    lines = dict(
        zip(attributes(drawn, "path", "d"), attributes(drawn, "path", "class"), strict=True)
    )
    assert lines == {
        "M80 154.0 L250 274.0": "trial trial-none",  # pruned
        "M80 154.0": "trial trial-none",  # failed, and had no schedule
        "M80 274.0 L250 274.0 L420 274.0": "trial trial-0",  # the worst
        "M80 154.0 L250 154.0 L420 154.0": "trial trial-2",
        "M80 34.0 L250 154.0 L420 34.0": "trial best",
    }
    assert list(lines)[-1] == "M80 34.0 L250 154.0 L420 34.0"  # on top of the others
    assert "trial-0003, failed: learning_rate=0.001" in drawn


def test_values_by_trial():
    drawn = searched.values(TRIALS, 1, "eval_loss")
    assert attributes(drawn, "circle", "class") == ["dot good", "dot good", "dot"]
    assert attributes(drawn, "circle", "cx") == ["64.0", "203.0", "620.0"]
    assert attributes(drawn, "circle", "cy") == ["20.0", "200.0", "110.0"]
    kinds = attributes(drawn, "path", "class")
    assert sorted(kinds) == ["failed", "sofar", "sofar"]  # a cross each, and the best so far
    assert "M64.0 20.0H203.0 V200.0H620" in attributes(drawn, "path", "d")
    upwards = attributes(searched.values(TRIALS, -1, "accuracy"), "circle", "class")
    assert upwards == ["dot good", "dot", "dot"]


def test_shares():
    drawn = searched.shares({"learning_rate": 0.75, "schedule": 0.25})
    assert attributes(drawn, "rect", "width") == ["210.0", "70.0"]
    assert re.findall(r">(\d+%)<", drawn) == ["75%", "25%"]
