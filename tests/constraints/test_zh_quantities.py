"""Chinese numerals and relations as inclusive bounds."""

from __future__ import annotations

import pytest

from instructune.constraints.zh_quantities import number, quantities


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("不超过三个苹果", (None, 3)),
        ("不少于三个苹果", (3, None)),
        ("少于三个苹果", (None, 2)),
        ("多于三个苹果", (4, None)),
        ("至多十二个苹果", (None, 12)),
        ("3个苹果以上", (3, None)),
        ("3个苹果以内", (None, 3)),
        ("约20个苹果", (20, 20)),
        ("三到五个苹果", (3, 5)),
    ],
)
def test_bounds(text, bounds):
    assert [(q.min, q.max) for q in quantities(text, "个苹果")] == [bounds]


@pytest.mark.parametrize("text", ["这三个苹果", "每人吃完的三个苹果", "下面三个苹果", "苹果"])
def test_none(text):
    assert list(quantities(text, "个苹果")) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("十", 10), ("十二", 12), ("二十", 20), ("两百", 200), ("一百五十", 150)]
    + [("三千零五", 3005), ("一万二千", 12000)],
)
def test_number(text, value):
    assert number(text) == value
