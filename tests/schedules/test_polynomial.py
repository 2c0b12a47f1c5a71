from __future__ import annotations

import pytest
import torch
from transformers import get_scheduler

from instructune.errors import UserError
from instructune.training.optimizers import learning_rate


def rates(spec: str, steps: int, warmup: int = 0) -> list[float]:
    return [learning_rate(step, steps, 1.0, warmup, spec) for step in range(steps)]


def test_by_hand():
    assert rates("polynomial", 4) == pytest.approx([1, 9 / 16, 4 / 16, 1 / 16])
    assert rates("polynomial:power=1", 4) == pytest.approx([1, 0.75, 0.5, 0.25])
    # half of the way is left of what lies above a fifth
    assert rates("polynomial:power=1,end=0.2", 4, 2)[2:] == pytest.approx([1, 0.2 + 0.8 / 2])
    assert learning_rate(9, 4, 1.0, 0, "polynomial:end=0.5") == 0.5


def test_equals_that_of_transformers():
    weight = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    theirs = get_scheduler(
        "polynomial", weight, 3, 12, scheduler_specific_kwargs={"power": 3.0, "lr_end": 0.05}
    )
    for step in range(12):
        if step >= 3:  # their warm-up begins at 0
            found = learning_rate(step, 12, 0.5, 3, "polynomial:power=3,end=0.1")
            assert found == pytest.approx(theirs.get_last_lr()[0])
        weight.step()
        theirs.step()


@pytest.mark.parametrize("option", ["power=0", "end=1.5", "end=-1"])
def test_refused(option):
    with pytest.raises(UserError, match="schedule 'polynomial': ") as raised:
        learning_rate(0, 1, 1.0, 0, f"polynomial:{option}")
    assert raised.value.code == 2
