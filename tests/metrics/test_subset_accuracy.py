"""subset_accuracy: scikit-learn's accuracy of tables, order and blanks aside."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from sklearn.metrics import accuracy_score

from tests.metrics.test_multilabel_f1 import ROWS, binary, lists
from tests.scored import measured


@settings(max_examples=40)
@given(ROWS)
def test_it_is_scikit_learns(rows):
    expected = accuracy_score(*binary(rows))
    assert measured("subset_accuracy", lists(rows)) == pytest.approx(expected, abs=1e-9)


def test_order_blanks_and_errors():
    rows = [(["b", " a"], ["a", "b"]), (["a"], ["a", "b"]), ([], []), (None, [])]
    assert measured("subset_accuracy", lists(rows)) == 0.5
