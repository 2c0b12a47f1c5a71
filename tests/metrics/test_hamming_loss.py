"""hamming_loss: scikit-learn's number where labels are known, at most 1 where not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import hamming_loss

from tests.metrics.test_multilabel_f1 import TRUE, binary, lists
from tests.scored import measured

KNOWN = st.lists(st.tuples(st.sets(st.sampled_from("abc")).map(sorted), TRUE), min_size=1)


@settings(max_examples=40)
@given(KNOWN)
def test_it_is_scikit_learns(rows):
    rows = [*rows, ([], ["a", "b", "c"])]  # so that each label occurs in a reference
    expected = hamming_loss(*[side[:, :-1] for side in binary(rows)])
    assert measured("hamming_loss", lists(rows)) == pytest.approx(expected, abs=1e-9)


def test_outside_labels_and_errors():
    # half of a and b is missed; x beside a and b is one of three; an error is wrong in all
    rows = [(["a"], ["a", "b"]), (["a", "b", "x"], ["a", "b"]), (None, [])]
    assert measured("hamming_loss", lists(rows)) == pytest.approx((1 / 2 + 1 / 3 + 1) / 3)
