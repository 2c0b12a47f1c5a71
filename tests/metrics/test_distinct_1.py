"""distinct_1, with what distinct-n shares: sets of words, and resamples that do not shrink them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scored import answered, measured, resampled

TEXTS = st.lists(st.lists(st.sampled_from("abcdef"), max_size=5).map(" ".join), min_size=1)


def texts(*predictions):
    return answered(predictions, ["-"] * len(predictions))


@pytest.mark.parametrize("order", [1, 2])
@given(st.data(), TEXTS)
def test_subsets_are_counted_as_sets(order, data, predictions):
    kept = data.draw(st.lists(st.booleans(), min_size=len(predictions), max_size=len(predictions)))
    weights = np.array([np.ones(len(kept)), kept], dtype=float)
    found = resampled(f"distinct_{order}", texts(*predictions), weights)
    for value, weight in zip(found, weights, strict=True):
        chosen = [p.split() for p, w in zip(predictions, weight, strict=True) if w]
        grams = [tuple(t[i : i + order]) for t in chosen for i in range(len(t) - order + 1)]
        assert value == (len(set(grams)) / len(grams) if grams else 0)


def test_case_errors_and_chinese():
    assert measured("distinct_1", texts("A a b", None, "")) == pytest.approx(2 / 3)
    assert measured("distinct_1", texts("天天")) == 0.5
    assert measured("distinct_1", texts("", None)) == 0


def test_resamples_lie_around_the_value():
    draw = np.random.default_rng(0)
    answers = texts(*(" ".join(draw.choice(list("abcdefghij"), 4)) for _ in range(60)), "k l m n")
    weights = draw.multinomial(len(answers), np.full(len(answers), 1 / len(answers)), size=400)
    value, found = measured("distinct_1", answers), resampled("distinct_1", answers, weights)
    assert abs(found.mean() - value) < found.std() / 5
    assert (found < value).mean() == pytest.approx(0.5, abs=0.15)
