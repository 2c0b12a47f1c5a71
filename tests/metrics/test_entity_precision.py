"""entity_precision: with its own ratio; the rest is tested with entity_f1."""

from __future__ import annotations

import pytest

from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.statistics.tables import exact_sums

ROW = {"id": "1", "tokens": ["a", "b", "c"], "tags": ["B-X", "O", "B-Y"]}


@pytest.mark.parametrize(("average", "value"), [("micro", 1 / 3), ("macro", 1 / 6)])
def test_value(average, value):
    metric = Metric(f"entity_precision:average={average}")
    sums = exact_sums(metric.statistics([Answer(["B-X", "B-X", "B-X"], [], "tags", ROW)]))
    assert float(metric.value(sums)) == pytest.approx(value)
