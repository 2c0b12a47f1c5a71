"""bm25: scores as worked out by hand."""

from __future__ import annotations

import math

import pytest

from instructune.bm25 import Index


def test_by_hand():
    index = Index(["the cat sat", "The CAT and the cat again", "dogs", ""])
    found = index.scores("Cat?! cat")
    rarity = math.log(1 + (4 - 2 + 0.5) / (2 + 0.5))  # in two of four, of 2.5 words each
    first = 2.2 * 1 / (1 + 1.2 * (0.25 + 0.75 * 3 / 2.5))
    second = 2.2 * 2 / (2 + 1.2 * (0.25 + 0.75 * 6 / 2.5))
    assert found.tolist() == pytest.approx([rarity * first, rarity * second, 0, 0])


def test_characters_of_chinese_are_words():
    index = Index(["北京的城市", "dogs"])
    assert index.scores("北京在哪里")[0] > 0
    assert index.scores("none of it").tolist() == [0, 0]


def test_no_texts_and_no_words():
    assert Index([]).scores("x").tolist() == []
    assert Index(["", "!"]).scores("x").tolist() == [0, 0]
