"""Adafactor by hand, and against that of transformers."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import Adafactor

from instructune.errors import UserError
from instructune.training.optimizers import Optimizer
from tests.tuning import updates


def test_steps_by_hand() -> None:
    # the first gradient over its own size is 1: the rate times the weight's size
    first = 2.0 - 0.1 * 2.0
    # 2 ** -0.8 of the second square is new; the update is cut down to 1
    assert updates("adafactor", 2.0, [0.25, -0.5])[0] == pytest.approx(first)
    new = 2**-0.8
    second = 0.25**2 + new * (0.125**2 - 0.25**2)
    found = updates("adafactor", 2.0, [0.25, -0.125], decay=0.5)
    once = 2.0 * 0.95 - 0.2  # decay by the rate; the step is of the size before it
    assert found == pytest.approx([once, once * 0.95 + 0.1 * once * 0.125 / second**0.5])


def test_the_options() -> None:
    # a longer memory: a half of the second square is new
    half = updates("adafactor:beta2_decay=-1", 2.0, [0.25, -0.125])[1]
    second = (0.25**2 + 0.125**2) / 2
    assert half == pytest.approx(1.8 + 0.18 * 0.125 / second**0.5)
    # a gradient that grew gives an update of more than 1, which is cut down to 1
    larger = (0.25**2 + 2**-0.8 * (1 - 0.25**2)) ** -0.5
    assert larger > 1.2
    assert updates("adafactor", 2.0, [0.25, 1.0])[1] == pytest.approx(1.8 - 0.18)
    found = updates("adafactor:clip=2", 2.0, [0.25, 1.0])[1]
    assert found == pytest.approx(1.8 - 0.18 * larger)
    assert updates("adafactor", 0.0, [0.25]) == pytest.approx([-1e-4])
    assert updates("adafactor:least_size=0.5", 0.0, [0.25]) == pytest.approx([-0.05])


def test_equals_that_of_transformers() -> None:
    torch.manual_seed(0)
    ours = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.LayerNorm(7))
    theirs = copy.deepcopy(ours)
    updating = Optimizer(ours, weight_decay=0.0, optimizer="adafactor")
    reference = Adafactor(theirs.parameters(), lr=0.05, relative_step=False)
    for _ in range(6):
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        updating.step(0.05)
        reference.step()
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_refused() -> None:
    for option in ("beta2_decay=0.5", "clip=0.9", "least_size=0"):
        with pytest.raises(UserError, match="optimizer 'adafactor': ") as raised:
            updates(f"adafactor:{option}", 2.0, [])
        assert raised.value.code == 2
