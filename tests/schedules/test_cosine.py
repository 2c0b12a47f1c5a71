from __future__ import annotations

import math

import pytest

from instructune.training.optimizers import learning_rate


def test_half_a_wave():
    found = [learning_rate(step, 4, 2.0, 0, "cosine") for step in range(4)]
    assert found == pytest.approx([2, 1 + math.sqrt(0.5), 1, 1 - math.sqrt(0.5)])
    assert learning_rate(9, 4, 2.0, 0, "cosine") == 0
