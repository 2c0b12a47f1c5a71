"""Where sentences, paragraphs and list items end, and what counts as a word found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.segments import (
    bullets,
    contains,
    loosened,
    occurrences,
    paragraphs,
    places,
    sentences,
    starred,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith met Mrs. Li at 3.30 p.m. today.", 1),
        ("We left at 5 p.m. Then it rained.", 2),
        ("He saw J. R. Brown. She too.", 2),
        ("So do I. You too.", 2),
        ("Pens, paper etc. and ink. Then glue etc. Done.", 3),
        ("See www.a.org for v1.2.3 now.", 1),
        ('He said "Stop!" Then he ran.', 2),
        ("Wait... what?! No.", 3),
        ("1. first\n2. second\n3. third", 3),
        ("# Title\n\nBody without mark\n\n- item", 3),
        ("a line\nof a poem\nwithout marks", 1),
        ("你好。真的吗？太好了！", ["你好。", "真的吗？", "太好了！"]),
        ("他说：“走吧。”然后走了。", 2),
        ("等一下……再说。", 2),
        ("...", 0),
        ("", 0),
    ],
)
def test_sentences(text, expected):
    found = sentences(text)
    assert found == expected if isinstance(expected, list) else len(found) == expected


@given(st.text(alphabet="aB .!?\n。*-1"))
def test_sentences_keep_every_letter(text):
    kept = "".join(sentences(text))
    assert [c for c in kept if c in "aB"] == [c for c in text if c in "aB"]


@pytest.mark.parametrize(
    ("separator", "expected"),
    [("blank", ["a\nb", "***\nc"]), ("line", ["a", "b", "c"]), ("stars", ["a\nb", "c"])],
)
def test_paragraphs(separator, expected):
    assert paragraphs("a\nb\n\n***\nc\n", separator) == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a ****** b", 2),
        ("a ***** b", 1),
        ("a ******* b", 1),
        ("a\n\\*\\*\\*\\*\\*\\*\nb", 2),
        ("a******b", 1),
    ],
)
def test_six_stars_that_stand_alone(text, parts):
    assert len(starred(text, 6)) == parts


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("* a\n- b\n+ c\n• d\n•e", 5),
        ("  * nested", 1),
        ("* **bold** one", 1),
        ("---\n***\n* * *\n**bold**\n-5 degrees\n1. one", 0),
        ("-\n*\n", 0),
    ],
)
def test_bullets(text, count):
    assert bullets(text) == count


@pytest.mark.parametrize(
    ("text", "word", "count"),
    [
        ("War, warm, WAR-time", "war", 2),
        ("on the\nsea the sea", "the sea", 2),
        ("it’s its it's", "it's", 2),
        ("C++ and c++.", "C++", 2),
        ("学习Python学习", "python", 1),
        ("学习学习", "学习", 2),
        ("aXb a.b", "a.b", 1),
    ],
)
def test_occurrences(text, word, count):
    assert occurrences(text, word) == count
    assert contains(text, word)


def test_loosened():
    assert list(loosened("Sure!\n*a*\nBye"))[::2] == [
        "Sure!\n*a*\nBye",
        "*a*\nBye",
        "Sure!\n*a*",
        "*a*",
    ]
    assert list(loosened("Sure!\n*a*\nBye"))[-1] == "a"


@pytest.mark.parametrize(
    ("text", "word", "found"),
    [
        ("War, warm war", "war", [(0, 3), (10, 13)]),
        ("xa a a", "a a", [(3, 6)]),
        ("a  A\na", "a a", [(0, 4)]),
        ("C++ and c++11", "c++", [(0, 3), (8, 11)]),
        ("我爱春天，春天", "春天", [(2, 4), (5, 7)]),
        ("用AI写", "ai", [(1, 3)]),
        ("", "a", []),
    ],
)
def test_places(text, word, found):
    assert list(places(text, word)) == found
