from __future__ import annotations

from instructune.training.optimizers import learning_rate


def test_the_peak_to_the_end():
    assert [learning_rate(step, 5, 3.0, 2, "constant") for step in range(5)] == [1.5, 3, 3, 3, 3]
