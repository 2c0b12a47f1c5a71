"""Lists of words: quoted or bare, never both."""

from __future__ import annotations

import pytest

from instructune.constraints.lists import quoted_list


@pytest.mark.parametrize(
    ("text", "bare", "items"),
    [
        ('"a b", "c" and "d" here', False, ["a b", "c", "d"]),
        ("'a' or 'b'.", False, ["a", "b"]),
        ("['a', 'b']", False, ["a", "b"]),
        ("x, y and z", True, ["x", "y", "z"]),
        ("x, y and z", False, []),
        ("story at least twice", True, ["story"]),
        ('"a", b', True, ["a"]),
        ("one, and the rest", True, ["one"]),
        ('"a" and the word "b"', False, ["a", "b"]),
        ("", True, []),
    ],
)
def test_items(text, bare, items):
    assert quoted_list(text, 0, bare=bare).items == items


def test_its_end():
    text = 'say "a", "b" twice'
    assert text[: quoted_list(text, 4).end] == 'say "a", "b"'
