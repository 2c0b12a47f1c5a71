from __future__ import annotations

import math

import pytest
import torch
from transformers import get_scheduler

from instructune.errors import UserError
from instructune.training.optimizers import learning_rate


def rates(spec: str, steps: int, warmup: int = 0) -> list[float]:
    return [learning_rate(step, steps, 1.0, warmup, spec) for step in range(steps)]


def test_by_hand():
    # 2 steps of warm-up, 8 of the other 10 at the peak
    found = rates("wsd", 12, 2)
    assert found == pytest.approx([0.5, 1, *[1] * 8, 1, 0.5])
    assert rates("wsd:decay=0.4", 10) == pytest.approx([1] * 6 + [1, 0.75, 0.5, 0.25])
    shape = rates("wsd:decay=0.4,shape=sqrt", 10)
    assert shape[6:] == pytest.approx([1, 0.5, 1 - math.sqrt(0.5), 1 - math.sqrt(0.75)])
    shape = rates("wsd:decay=0.4,shape=cosine", 10)
    assert shape[6:] == pytest.approx([1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2])
    assert rates("wsd:decay=0", 3) == [1, 1, 1]
    assert rates("wsd:decay=1", 4) == pytest.approx([1, 0.75, 0.5, 0.25])
    assert learning_rate(99, 10, 1.0, 0, "wsd") == 0


@pytest.mark.parametrize(
    ("shape", "theirs"), [("linear", "linear"), ("cosine", "cosine"), ("sqrt", "1-sqrt")]
)
def test_equals_that_of_transformers(shape, theirs):
    weight = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    given = {"num_decay_steps": 5, "decay_type": theirs}
    scheduler = get_scheduler("warmup_stable_decay", weight, 3, 13, scheduler_specific_kwargs=given)
    for step in range(13):
        if step >= 3:  # their warm-up begins at 0
            found = learning_rate(step, 13, 0.5, 3, f"wsd:decay=0.5,shape={shape}")
            assert found == pytest.approx(scheduler.get_last_lr()[0])
        weight.step()
        scheduler.step()


@pytest.mark.parametrize("option", ["decay=1.5", "decay=-1", "shape=square"])
def test_refused(option):
    with pytest.raises(UserError, match="schedule 'wsd'") as raised:
        learning_rate(0, 1, 1.0, 0, f"wsd:{option}")
    assert raised.value.code == 2
