"""chrf: sacrebleu's numbers from sums."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from tests.metrics.test_bleu import ROWS, by_sacrebleu
from tests.scored import HYPOTHESES, REFERENCES, answered, measured, resampled


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("chrf", 67.21499161957155),
        ("chrf:word_order=2", 69.2769205502351),
        ("chrf:whitespace=yes", 70.85643105931645),
    ],
)
def test_reference_vectors(spec, expected):
    assert measured(spec, answered(HYPOTHESES, REFERENCES)) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60)
@given(ROWS, st.integers(1, 6), st.integers(0, 2), st.integers(1, 3), st.booleans(), st.booleans())
def test_it_is_sacrebleu(rows, char_order, word_order, beta, lowercase, whitespace):
    answers = answered(*zip(*rows, strict=True))
    oracle = sacrebleu.CHRF(char_order, word_order, beta, lowercase, whitespace)
    expected = by_sacrebleu(oracle, rows)
    spec = f"chrf:char_order={char_order},word_order={word_order},beta={beta}"
    spec += f",lowercase={lowercase},whitespace={whitespace}"
    assert measured(spec, answers) == pytest.approx(expected, abs=1e-9)
    signature = f"sacrebleu({oracle.get_signature()})|beta:{beta}"
    assert signature == Metric(spec, answers).SIGNATURE


def test_sums_of_many_resamples_at_once():
    answers = answered(HYPOTHESES, REFERENCES)
    weights = np.array([[0.0, 3, 1, 0, 1], [0, 0, 0, 5, 0]])
    expected = [measured("chrf", [answers[i] for i in (1, 1, 1, 2, 4)]), 0]
    assert resampled("chrf", answers, weights) == pytest.approx(expected, abs=1e-9)


def test_an_error_is_an_empty_answer():
    right = ["猫坐在垫子上", "the cat"]
    empty = measured("chrf", answered([right[0], ""], right))
    assert measured("chrf", answered([right[0], None], right)) == empty < 100


@pytest.mark.parametrize("option", ["char_order=0", "word_order=-1", "beta=0"])
def test_orders_that_count_nothing(option):
    with pytest.raises(UserError, match="at least 1"):
        Metric(f"chrf:{option}")
