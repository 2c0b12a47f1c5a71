"""l2sp: the gradient of half a squared distance."""

from __future__ import annotations

import pytest
import torch

from instructune.errors import UserError
from tests.retained import held, linear, moved


def test_each_parameter_is_drawn_back_by_the_way_it_went() -> None:
    model = linear()
    found, _ = held("l2sp:weight=0.2", model)
    moved(model, 0.5)
    found.gathered()
    for parameter in model.parameters():
        torch.testing.assert_close(parameter.grad, torch.full_like(parameter, 1 + 0.2 * 0.5))


def test_a_parameter_without_a_gradient_is_frozen_now() -> None:
    model = linear()
    found, _ = held("l2sp", model)
    moved(model, 0.5)
    model.bias.grad = None
    found.gathered()
    assert model.bias.grad is None


def test_what_was_drawn_just_now_is_not_held() -> None:
    model = linear()
    found, _ = held("l2sp:weight=2", model, masters={"bias": model.bias})
    moved(model, 0.5)
    found.gathered()
    assert model.bias.grad is not None
    assert model.bias.grad.tolist() == [2.0, 2.0]
    assert model.weight.grad is not None
    assert model.weight.grad.unique().tolist() == [1.0]


def test_the_weight() -> None:
    with pytest.raises(UserError, match="weight must be above 0, got 0"):
        held("l2sp:weight=0", linear())
