"""rouge_l: rouge-score's numbers, by its slow table too."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import _lcs_table

from instructune.metrics.rouge_l import _common_subsequence
from tests.metrics.test_rouge_1 import HYPOTHESIS, REFERENCE, ROUGE_ROWS, by_rouge_score
from tests.scored import answered, measured


@pytest.mark.parametrize(("spec", "expected"), [("rouge_l", 0.5), ("rouge_l:stemmer=true", 0.6)])
def test_reference_vectors(spec, expected):
    assert measured(spec, answered([HYPOTHESIS], [REFERENCE])) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60)
@given(ROUGE_ROWS, st.booleans())
def test_it_is_rouge_score(rows, stemmer):
    expected = by_rouge_score("rougeL", rows, stemmer)
    found = measured(f"rouge_l:stemmer={stemmer}", answered(*zip(*rows, strict=True)))
    assert found == pytest.approx(expected, abs=1e-9)


def test_longer_than_a_machine_word():
    draw = random.Random(0)
    one, other = (draw.choices("abcde", k=size) for size in (300, 170))
    assert _common_subsequence(one, other) == _lcs_table(one, other)[-1][-1]


def test_chinese():
    assert measured("rouge_l", answered(["今天好天气"], ["今天天气好"])) == pytest.approx(0.8)
