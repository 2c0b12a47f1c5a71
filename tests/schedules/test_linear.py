from __future__ import annotations

from instructune.training.optimizers import learning_rate


def test_a_straight_line():
    assert [learning_rate(step, 4, 8.0, 0, "linear") for step in range(4)] == [8, 6, 4, 2]
    assert learning_rate(9, 4, 8.0, 0, "linear") == 0
