"""perturbation_drop: rows against their copies, each row weighing the same."""

from __future__ import annotations

import numpy as np
import pytest

from instructune.evaluating.measuring import Metric
from instructune.statistics.tables import exact_sums
from tests.scored import measured
from tests.variants import copied

FAMILIES = [("a", ["a", "a", "b", "b", "b"]), ("a", ["a", "a"]), ("a", ["b", "a"]), ("a", ["b"])]


def test_the_mean_of_rows_less_that_of_their_copies():
    # rows: 1, 1, 0; copies: 1/4, 1, 1
    answers = copied(*FAMILIES)
    assert measured("perturbation_drop", answers) == pytest.approx(2 / 3 - 2.25 / 3)
    metric = Metric("perturbation_drop", answers)
    sums = exact_sums(metric.statistics(answers))
    assert metric.details(answers, sums) == {
        "rows": pytest.approx(2 / 3),
        "copies": pytest.approx(0.75),
        "rows_with_copies": 3,
    }
    assert metric.value(np.stack([sums, sums])).shape == (2,)
