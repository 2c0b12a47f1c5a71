"""losses: sums equal to those of torch, and by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from instructune.training import losses

torch.manual_seed(0)
SCORES = torch.randn(5, 3)
TARGETS = torch.tensor([0, 2, 1, 1, 0])
WEIGHTS = torch.tensor([1.0, 0.5, 2.0, 0.0, 1.0])


def test_cross_entropy():
    wanted = functional.cross_entropy(SCORES, TARGETS, reduction="none") @ WEIGHTS
    assert losses.cross_entropy(SCORES, TARGETS, WEIGHTS).item() == pytest.approx(wanted.item())
    smooth = functional.cross_entropy(SCORES, TARGETS, reduction="none", label_smoothing=0.1)
    found = losses.cross_entropy(SCORES, TARGETS, WEIGHTS, smoothing=0.1)
    assert found.item() == pytest.approx((smooth @ WEIGHTS).item())


def test_focal_loss_by_hand():
    scores, target, weight = torch.tensor([[math.log(3.0), 0.0]]), torch.tensor([0]), torch.ones(1)
    # p = 3/4: a quarter squared times the entropy
    found = losses.cross_entropy(scores, target, weight, gamma=2.0)
    assert found.item() == pytest.approx(-math.log(0.75) / 16)


def test_symmetric_divergence():
    other = torch.randn(5, 3)
    p, q = SCORES.log_softmax(-1), other.log_softmax(-1)
    one = functional.kl_div(q, p, reduction="none", log_target=True).sum(-1)
    two = functional.kl_div(p, q, reduction="none", log_target=True).sum(-1)
    found = losses.symmetric_divergence(SCORES, other, WEIGHTS)
    assert found.item() == pytest.approx(((one + two) / 2 @ WEIGHTS).item(), rel=1e-5)
    assert losses.symmetric_divergence(SCORES, SCORES, WEIGHTS).item() == 0
    # probabilities 3/4 and 1/4 against 1/2 each: (1/4) * log(3), of which half
    by_hand = losses.symmetric_divergence(
        torch.tensor([[math.log(3.0), 0.0]]), torch.zeros(1, 2), torch.ones(1)
    )
    assert by_hand.item() == pytest.approx(math.log(3) / 8)


def test_binary_cross_entropy_is_the_mean_over_labels():
    targets = torch.tensor([[1.0, 0, 1]] * 5)
    wanted = functional.binary_cross_entropy_with_logits(SCORES, targets)
    found = losses.binary_cross_entropy(SCORES, targets, torch.ones(5))
    assert found.item() / 5 == pytest.approx(wanted.item())
    positive = torch.tensor([2.0, 1.0, 0.5])
    wanted = functional.binary_cross_entropy_with_logits(SCORES, targets, pos_weight=positive)
    found = losses.binary_cross_entropy(SCORES, targets, torch.ones(5), positive=positive)
    assert found.item() / 5 == pytest.approx(wanted.item())


def test_focal_binary_by_hand():
    scores, targets = torch.tensor([[math.log(3.0), math.log(3.0)]]), torch.tensor([[1.0, 0.0]])
    found = losses.binary_cross_entropy(scores, targets, torch.ones(1), gamma=1.0)
    wanted = (-math.log(0.75) * 0.25 - math.log(0.25) * 0.75) / 2
    assert found.item() == pytest.approx(wanted)


def test_squared_error():
    found = losses.squared_error(
        torch.tensor([1.0, 2]), torch.tensor([0.0, 5]), torch.tensor([1.0, 2])
    )
    assert found.item() == 1 + 18
