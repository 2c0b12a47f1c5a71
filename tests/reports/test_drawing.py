"""reports/drawing: lengths and places say what the numbers say."""

from __future__ import annotations

from instructune.reports import drawing
from instructune.reports.drawing import Scale
from instructune.reports.pages import page
from tests.wellformed import elements


def drawn(part, tag):
    return [attributes for name, attributes in elements(page("t", [part])) if name == tag]


def test_bars_are_as_long_as_their_values():
    found = drawn(drawing.bars({"a": 10, "b": 5, "c": 0}), "rect")
    assert [float(one["width"]) for one in found] == [360, 180, 0]
    assert drawn(drawing.bars({}), "rect") == []
    (long,) = drawn(drawing.bars({"x" * 99: 0}), "svg")
    assert long["aria-label"] == "x" * 99 + " 0"
    assert f">{'x' * 29}…</text>" in drawing.bars({"x" * 99: 0})


def test_a_scale_ends_at_its_ends():
    scale = Scale(-1, 3)
    assert [scale.place(number, 200) for number in (-9, -1, 0, 3, 9)] == [0, 0, 50, 200, 200]
    assert Scale(2, 2).place(2, 100) == 50


def test_an_interval():
    made = drawing.interval(Scale(0, 1), 0.5, [0.25, 0.75], baseline=0.0, chance=1.0, tone="good")
    (band,) = drawn(made, "rect")
    assert (band["class"], float(band["x"]), float(band["width"])) == ("band good", 40.5, 69)
    (dot,) = drawn(made, "circle")
    assert float(dot["cx"]) == 75
    ticks = {one["class"]: float(one["x1"]) for one in drawn(made, "line")}
    assert ticks == {"axis": 6, "before": 6, "chance": 144}


def test_what_is_not_there_is_not_drawn():
    made = drawing.interval(Scale(0, 1), None, None)
    assert (drawn(made, "rect"), drawn(made, "circle"), len(drawn(made, "line"))) == ([], [], 1)
    crossing = drawing.interval(Scale(-1, 1), 0.5, None)
    assert [float(one["x1"]) for one in drawn(crossing, "line")] == [6, 75]  # the axis, and zero


def test_a_key_has_a_sign_for_each_mark():
    for name in ("band", "dot", "before", "chance", "good"):
        assert f'class="{name}"' in drawing.sign(name)
    assert "</svg>a &lt; b</span>" in drawing.key({"dot": "a < b"})


def test_a_reliability_diagram():
    bins = [
        {"n": 10.0, "confidence": 0.55, "accuracy": 0.5, "low": 0.4, "high": 0.6},
        {"n": 5.0, "confidence": 0.95, "accuracy": 1.0, "low": 0.8, "high": 1.0},
    ]
    made = drawing.reliability(bins)
    boxes = drawn(made, "rect")
    assert [one.get("class") for one in boxes] == [None, "gap", "second", None, "band", "second"]
    assert [float(one["height"]) for one in boxes if "class" not in one] == [130, 247]
    apart = [one for one in boxes if one.get("class") in ("gap", "band")]
    assert [(float(one["y"]), float(one["height"])) for one in apart] == [(117, 13), (0, 13)]
    rows = [float(one["height"]) for one in boxes if one.get("class") == "second"]
    assert rows == [39.2, 19.6]
    assert "<title>chance 0.40 to 0.60: 10 rows, 0.550 sure, 0.500 right</title>" in made
    assert drawn(drawing.reliability([]), "rect") == []


def test_shares_of_a_whole():
    made = drawing.shares([("kept", 1), ("lost", 3)], {"kept": "", "lost": "bad"})
    found = [
        (one.get("class"), float(one["x"]), float(one["width"])) for one in drawn(made, "rect")
    ]
    assert found == [(None, 0, 37.5), ("bad", 37.5, 112.5)]
    assert 'aria-label="kept 1, lost 3"' in made
    assert {float(one["width"]) for one in drawn(drawing.shares([("a", 0)], {}), "rect")} == {0}


def test_a_heat_map_without_numbers():
    made = drawing.heat([[3, 1], [0, 2]])
    cells = [(one["class"], float(one["x"]), float(one["y"])) for one in drawn(made, "rect")]
    assert cells == [("paper", 0, 0), ("good", 0, 0), ("bad", 12, 0), ("good", 12, 12)]
    opacities = [one.get("opacity") for one in drawn(made, "rect")]
    assert opacities == [None, "0.87", "0.52", "1.00"]
