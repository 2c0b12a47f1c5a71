"""rouge_2: rouge-score's numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.test_rouge_1 import HYPOTHESIS, REFERENCE, ROUGE_ROWS, by_rouge_score
from tests.scored import answered, measured


@pytest.mark.parametrize(
    ("spec", "expected"), [("rouge_2", 0.1111111111111111), ("rouge_2:stemmer=true", 1 / 3)]
)
def test_reference_vectors(spec, expected):
    assert measured(spec, answered([HYPOTHESIS], [REFERENCE])) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60)
@given(ROUGE_ROWS, st.booleans())
def test_it_is_rouge_score(rows, stemmer):
    expected = by_rouge_score("rouge2", rows, stemmer)
    found = measured(f"rouge_2:stemmer={stemmer}", answered(*zip(*rows, strict=True)))
    assert found == pytest.approx(expected, abs=1e-9)


def test_chinese_pairs_are_of_characters_and_a_single_word_has_none():
    assert measured("rouge_2", answered(["天气好", "a"], ["天气坏", "a"])) == pytest.approx(0.25)
