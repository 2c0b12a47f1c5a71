"""coverage, with what summary metrics share: the fragments by brute force, where the source is."""

from __future__ import annotations

import random

import pytest

from instructune.errors import UserError
from instructune.metrics._fragments import fragment_lengths
from tests.scored import answered, measured


def by_brute_force(article, summary):
    """All pairs of places, the longest match at each place of the summary."""
    lengths, i = [], 0
    while i < len(summary):
        best, j = 0, 0
        while j < len(article):
            if summary[i] == article[j]:
                k = 0
                while i + k < len(summary) and j + k < len(article):
                    if summary[i + k] != article[j + k]:
                        break
                    k += 1
                best = max(best, k)
            j += 1
        if best:
            lengths.append(best)
        i += max(best, 1)
    return lengths


def test_fragments_are_those_of_the_paper():
    draw = random.Random(0)
    for _ in range(300):
        article, summary = (draw.choices("abcd", k=draw.randint(0, 30)) for _ in range(2))
        assert fragment_lengths(article, summary) == by_brute_force(article, summary)


def test_words_in_fragments():
    article = "The cat sat on the mat, and the dog slept."
    answers = answered(["A cat sat on the sofa", "", None, "the"], ["-"] * 4, text=[article] * 4)
    assert measured("coverage", answers) == pytest.approx((4 / 6 + 0 + 0 + 1) / 4)
    assert measured("coverage", answered(["猫睡"], ["-"], text=["猫坐在垫子上"])) == 0.5


def test_where_the_source_is():
    answers = answered(["a b"], ["-"], text=["Sum up: a"], article=["a b c"])
    assert measured("coverage", answers) == 0.5
    assert measured("coverage:source=article", answers) == 1
    with pytest.raises(UserError, match="id '0000': body must be the text"):
        measured("coverage:source=body", answers)
    with pytest.raises(UserError, match="id '0000' has no text that was summarised"):
        measured("coverage", answered(["a b"], ["-"]))
