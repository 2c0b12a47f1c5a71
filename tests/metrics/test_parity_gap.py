"""parity_gap: how often groups get a label."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.statistics.tables import exact_sums
from tests.scored import answered, measured

SPEC = "parity_gap:by=sex,positive=hire"
SAID = ["hire", " hire", "no", "hire", "no", "no", None, "hire", "no"]
SEX = ["f", "f", "f", "m", "m", "m", "m", "x", "x"]
ROWS = answered(SAID, ["hire"] * 9, "label", sex=SEX)


def test_the_widest_gap_of_selection_rates():
    # 2/3, 1/4, 1/2
    assert measured(SPEC, ROWS) == pytest.approx(2 / 3 - 1 / 4)
    metric = Metric(SPEC, ROWS)
    found = metric.details(ROWS, exact_sums(metric.statistics(ROWS)))
    assert found == {"rates": {"f": pytest.approx(2 / 3), "m": 0.25, "x": 0.5}}


def test_one_group_has_no_gap():
    with pytest.raises(UserError, match="all rows have the same 'sex'"):
        measured(SPEC, ROWS[:3])
    with pytest.raises(UserError, match="has no field 'age'"):
        measured("parity_gap:by=age,positive=hire", ROWS)
