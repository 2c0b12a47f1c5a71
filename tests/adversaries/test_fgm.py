from __future__ import annotations

import pytest
import torch

from instructune.adversaries import adversaries
from instructune.errors import UserError


def test_a_step_of_a_given_length_for_each_row():
    gradient = torch.tensor([[[3.0, 0.0], [0.0, 4.0]], [[0.0, 0.5], [0.0, 0.0]]])
    _, attack, options = adversaries.configure("fgm:epsilon=10")
    assert attack.steps(options) == 1
    found = attack.moved(torch.zeros_like(gradient), gradient, options)
    assert found.tolist() == [[[6, 0], [0, 8]], [[0, 10], [0, 0]]]
    _, _, usual = adversaries.configure("fgm")
    assert attack.moved(gradient, gradient, usual).norm(dim=(1, 2)).tolist() == [1, 1]


def test_no_gradient_no_step():
    _, attack, options = adversaries.configure("fgm")
    nothing = torch.zeros(1, 2, 3)
    assert torch.equal(attack.moved(nothing, nothing, options), nothing)


def test_refused():
    with pytest.raises(UserError, match="attack 'fgm': epsilon must be above 0") as raised:
        adversaries.configure("fgm:epsilon=0")
    assert raised.value.code == 2
