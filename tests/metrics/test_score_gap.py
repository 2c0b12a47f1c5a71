"""score_gap: mean scores of groups."""

from __future__ import annotations

import pytest

from tests.scored import answered, measured

ROWS = answered(["a", "b", "a b", "c"], ["a", "a", "a b", "a b"], group=["1", "1", "2", "2"])


def test_the_widest_gap_of_means():
    assert measured("score_gap:by=group", ROWS) == 0
    assert measured("score_gap:by=group", ROWS[1:]) == 0.5
    assert measured("score_gap:by=group,of=token_f1", ROWS[1:]) == pytest.approx(0.5)
