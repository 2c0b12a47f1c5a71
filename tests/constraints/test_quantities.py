"""Numbers and relations as inclusive bounds."""

from __future__ import annotations

import pytest

from instructune.constraints.quantities import number, quantities, times


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("at least three apples", (3, None)),
        ("no fewer than 3 apples", (3, None)),
        ("more than 3 apples", (4, None)),
        ("3 or more apples", (3, None)),
        ("3+ apples", (3, None)),
        ("at most 3 apples", (None, 3)),
        ("no more than 3 apples", (None, 3)),
        ("less than 3 apples", (None, 2)),
        ("3 apples or less", (None, 3)),
        ("up to twenty apples", (None, 20)),
        ("exactly 3 apples", (3, 3)),
        ("3 to 5 apples", (3, 5)),
        ("between 5 and 3 apples", (3, 5)),
        ("3-5 ripe apples", (3, 5)),
        ("1,200 apples", (1200, 1200)),
        ("the number of apples should be at least 4", (4, None)),
    ],
)
def test_bounds(text, bounds):
    found = list(quantities(text, "apples?"))
    assert [(q.min, q.max) for q in found] == [bounds]
    assert found[0].start <= found[0].end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "no number of them",
        "these two apples",
        "each with 3 apples",
        "3 apples each",
        "3 pineapples",
    ],
)
def test_none(text):
    assert list(quantities(text, "apples?")) == []


def test_far_apart():
    text = f"at least 2 apples {'and so on ' * 40} at most 9 apples"
    assert [(q.min, q.max) for q in quantities(text, "apples?")] == [(2, None), (None, 9)]


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("at least twice", (2, None)),
        ("once", (1, 1)),
        ("once or less", (None, 1)),
        ("less than 5 times", (None, 4)),
        ("for more than 5 times", (6, None)),
        ("3 to 5 times", (3, 5)),
        ("two or more times", (2, None)),
    ],
)
def test_times(text, bounds):
    found = times(text, 0, len(text))
    assert found is not None
    assert (found.min, found.max) == bounds


def test_no_times():
    assert times("sometimes 3 men", 0, 15) is None


@pytest.mark.parametrize(("text", "value"), [("12", 12), ("Twelve", 12), ("a single", 1)])
def test_number(text, value):
    assert number(text) == value
