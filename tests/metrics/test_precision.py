"""precision: the macro average, by hand; tests of f1 compare it with scikit-learn."""

from __future__ import annotations

import pytest

from instructune.evaluating.predictions import Answer
from instructune.metrics import metrics
from instructune.statistics.tables import exact_sums


def test_macro_average_over_true_and_predicted_labels():
    precision = metrics["precision"]
    pairs = [("a", "a"), ("a", "b"), ("a", "x"), ("b", "b"), ("c", "b"), ("b", None)]
    answers = [Answer(p, [t], "label", {"id": str(i)}) for i, (t, p) in enumerate(pairs)]
    by_class = {"a": 1 / 1, "b": 1 / 3, "c": 0, "x": 0}
    found = precision.value(exact_sums(precision.statistics(answers)))
    assert found == pytest.approx(sum(by_class.values()) / 4, abs=1e-12)
