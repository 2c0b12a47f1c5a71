"""adjudicate: a label of several annotations, and ties by rule."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from instructune.filters.undecided import Filter
from instructune.records import Record
from instructune.transforms.adjudicate import Options, Transform


def decided(annotations: dict[str, Any], **options: Any) -> tuple[Any, list[str]]:
    changes: Counter[str] = Counter()
    record = Record(id="1", text="t", annotations=annotations)
    (after,) = Transform(Options(**options))(record, changes)
    assert after["annotations"] == annotations
    return after.get("label"), list(changes)


@pytest.mark.parametrize(
    ("annotations", "options", "expected"),
    [
        ({"a": "x", "b": "x"}, {}, ("x", ["annotators agree"])),
        ({"a": "y", "b": "x", "c": "x"}, {}, ("x", ["adjudicated by majority"])),
        ({"a": "y", "b": "x"}, {}, ("y", ["tied: the first value"])),
        ({"a": "y", "b": "x"}, {"order": ("b",)}, ("x", ["tied: by the order of annotators"])),
        ({"a": "y", "b": "x"}, {"tie": "none"}, (None, ["tied: no label"])),
        ({"a": 1, "b": 4}, {"tie": "mean"}, (2.5, ["tied: the mean"])),
        ({"a": "y", "b": "x"}, {"tie": "mean"}, ("y", ["tied: the first value"])),
        ({"a": "y"}, {"least": 2}, (None, ["fewer than 2 annotations: no label"])),
        ({"a": None}, {}, (None, [])),
    ],
)
def test_decisions(annotations, options, expected):
    assert decided(annotations, **options) == expected


def test_a_label_that_is_there_stays():
    record = Record(id="1", text="t", label="z", annotations={"a": "x"})
    assert Transform(Options())(record, Counter())[0] is record


def test_what_is_left_is_dropped_by_the_filter():
    (after,) = Transform(Options(tie="none"))(
        Record(id="1", text="t", annotations={"a": "x", "b": "y"}), Counter()
    )
    assert Filter(None)(after) == "annotators undecided"
