"""words: joined, found in a text, and the pieces that a tokenizer makes of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.words import joined, pieces, words_in


@pytest.mark.parametrize(
    ("words", "text", "starts"),
    [
        (["a", "bc"], "a bc", [0, 2]),
        (["我", "是", "Bob", "!"], "我是Bob !", [0, 1, 2, 6]),
        (["", "x"], "x", [0, 0]),
    ],
)
def test_no_blank_beside_chinese(words, text, starts):
    assert joined(words) == (text, starts)


@given(st.lists(st.text(min_size=1, max_size=4), max_size=8))
def test_each_word_stands_where_it_is_said_to(words):
    text, starts = joined(words)
    for word, start in zip(words, starts, strict=True):
        assert text[start : start + len(word)] == word


def test_words_of_a_text():
    text = "Hi, 我们 x"
    assert [text[a:b] for a, b in words_in(text)] == ["Hi", ",", "我", "们", "x"]


@pytest.mark.parametrize(
    ("words", "offsets", "found"),
    [
        ([(0, 2), (3, 5)], [(0, 1), (1, 2), (3, 5)], [(0, 2), (2, 3)]),
        ([(0, 2), (3, 5)], [(0, 2), (2, 4), (4, 5)], [(0, 1), (1, 3)]),  # a piece with its blank
        ([(0, 2), (3, 5)], [(0, 2)], [(0, 1), (1, 1)]),  # cut off
        ([(0, 1), (1, 2), (2, 3)], [(0, 1), (2, 3)], [(0, 1), (1, 1), (1, 2)]),  # left out
        ([(0, 1), (1, 2)], [(0, 2)], [(0, 1), (0, 1)]),  # one piece of two words
        ([], [], []),
    ],
)
def test_pieces(words, offsets, found):
    assert pieces(words, offsets) == found
