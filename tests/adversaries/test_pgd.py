from __future__ import annotations

import pytest
import torch

from instructune.adversaries import adversaries
from instructune.errors import UserError


def test_steps_within_a_ball():
    _, attack, options = adversaries.configure("pgd:epsilon=5,alpha=4,steps=7")
    assert attack.steps(options) == 7
    gradient = torch.tensor([[[2.0, 0.0]], [[0.0, 0.0]]])
    first = attack.moved(torch.zeros_like(gradient), gradient, options)
    assert first.tolist() == [[[4, 0]], [[0, 0]]]
    # 4 more to the side would be 4 * sqrt(2) away
    second = attack.moved(first, gradient.flip(-1), options)
    assert second[0, 0].tolist() == pytest.approx([5 / 2**0.5, 5 / 2**0.5])


def test_the_defaults():
    _, attack, options = adversaries.configure("pgd")
    assert (options.epsilon, options.alpha, attack.steps(options)) == (1.0, 0.3, 3)


@pytest.mark.parametrize("name", ["epsilon", "alpha", "steps"])
def test_refused(name):
    with pytest.raises(UserError, match=f"attack 'pgd': {name} must be above 0") as raised:
        adversaries.configure(f"pgd:{name}=0")
    assert raised.value.code == 2
