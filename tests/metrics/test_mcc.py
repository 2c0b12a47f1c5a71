"""mcc: scikit-learn's number of any labels, of resamples too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import matthews_corrcoef

from tests.scored import answered, measured, resampled


def test_reference_vector():
    answers = answered(list("02221011"), list("01221021"), "label")
    assert measured("mcc", answers) == pytest.approx(0.6190476190476191, abs=1e-9)


@settings(max_examples=60)
@given(st.data(), st.lists(st.tuples(st.sampled_from("abcxy"), st.sampled_from("abc")), min_size=1))
def test_it_is_scikit_learns(data, pairs):
    predicted, true = zip(*pairs, strict=True)
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)))
    weights = np.array([np.ones(len(pairs)), counts])
    found = resampled("mcc", answered(predicted, true, "label"), weights)
    assert found[0] == pytest.approx(matthews_corrcoef(true, predicted), abs=1e-9)
    if any(counts):
        repeated = [np.repeat(side, counts) for side in (true, predicted)]
        assert found[1] == pytest.approx(matthews_corrcoef(*repeated), abs=1e-9)


def test_an_error_is_a_label_of_its_own():
    found = measured("mcc", answered(["a", "b", None], ["a", "b", "b"], "label"))
    assert found == pytest.approx(matthews_corrcoef(["a", "b", "b"], ["a", "b", "-"]))
