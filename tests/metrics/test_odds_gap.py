"""odds_gap: the definition worked by hand, and groups for which it has no meaning."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.statistics.tables import exact_sums
from tests.scored import answered, measured

SPEC = "odds_gap:by=sex,positive=y"
TRUE = ["y", "y", "n", "n", "y", "y", "n", "n", "n", "n"]
SAID = ["y", "y", "n", "y", "y", "n", "n", "n", "n", "y"]
SEX = ["f"] * 4 + ["m"] * 6
ROWS = answered(SAID, TRUE, "label", sex=SEX)


def test_the_larger_of_both_gaps():
    # f: 2 of 2 rightly, 1 of 2 wrongly; m: 1 of 2 rightly, 1 of 4 wrongly
    assert measured(SPEC, ROWS) == 0.5
    metric = Metric(SPEC, ROWS)
    assert metric.details(ROWS, exact_sums(metric.statistics(ROWS))) == {
        "true_positive_rate": {"f": 1.0, "m": 0.5, "gap": 0.5},
        "false_positive_rate": {"f": 0.5, "m": 0.25, "gap": 0.25},
    }


@pytest.mark.parametrize(("kept", "lacks"), [("y", "without"), ("n", "with")])
def test_a_group_without_positives_or_negatives_is_told(kept, lacks):
    rows = [row for row in ROWS if row.row["sex"] == "m" or row.references == [kept]]
    with pytest.raises(UserError, match=f"sex 'f' has no row {lacks} the label 'y', so its rates"):
        measured(SPEC, rows)
