"""ter: sacrebleu's numbers from sums, errors and empty references among them."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.evaluating.measuring import Metric
from tests.metrics.test_bleu import ROWS, by_sacrebleu
from tests.scored import HYPOTHESES, REFERENCES, answered, measured, resampled


@pytest.mark.parametrize(
    ("spec", "expected"), [("ter", 21.73913043478261), ("ter:normalized=yes", 18.51851851851852)]
)
def test_reference_vectors(spec, expected):
    assert measured(spec, answered(HYPOTHESES, REFERENCES)) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=40)
@given(ROWS, *[st.booleans()] * 4)
def test_it_is_sacrebleu(rows, normalized, no_punct, asian_support, case_sensitive):
    answers = answered(*zip(*rows, strict=True))
    oracle = sacrebleu.TER(normalized, no_punct, asian_support, case_sensitive)
    expected = by_sacrebleu(oracle, rows)
    spec = f"ter:normalized={normalized},no_punct={no_punct},asian_support={asian_support}"
    spec += f",case_sensitive={case_sensitive}"
    assert measured(spec, answers) == pytest.approx(expected, abs=1e-9)
    assert f"sacrebleu({oracle.get_signature()})" == Metric(spec, answers).SIGNATURE


def test_sums_of_many_resamples_at_once():
    answers = answered(HYPOTHESES, REFERENCES)
    weights = np.array([[0.0, 3, 1, 0, 1]])
    expected = measured("ter", [answers[i] for i in (1, 1, 1, 2, 4)])
    assert resampled("ter", answers, weights) == pytest.approx([expected], abs=1e-9)


def test_chinese_words_are_characters():
    answers = answered(["今天天气很好"], ["今天的天气很好"])
    assert measured("ter", answers) == pytest.approx(100 / 7)
    assert "asian:yes" in Metric("ter", answers).SIGNATURE
    assert measured("ter:normalized=no,asian_support=no", answers) == 100


def test_an_error_is_to_be_rewritten_in_full():
    assert measured("ter", answered(["a b", None], ["a b", "c d e"])) == pytest.approx(60)
    assert measured("ter", answered(["", ""], ["", ""])) == 0
    assert measured("ter", answered(["", None], ["", ""])) == 100
