"""ewc: the diagonal by hand and by finite differences, its scale, and that checkpoints keep it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from instructune.errors import UserError
from tests.retained import Classes, Rows, held, linear, moved

INPUTS = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, -1.0]])
CLASSES = [0, 1, 1]
SPEC = "ewc:data=old.jsonl,weight=0.5"


def diagonal(model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Of weight and bias: mean over the rows of `((p - y) x) ** 2`, as a multiple of its mean."""
    p = model(INPUTS).softmax(-1).detach()
    errors = p - torch.nn.functional.one_hot(torch.tensor(CLASSES), 2)  # (N, C)
    weight = torch.einsum("nc,ni->nci", errors, INPUTS).square().mean(0)
    bias = errors.square().mean(0)
    mean = (weight.sum() + bias.sum()) / 6
    return weight / mean, bias / mean


def test_values_count_as_old_rows_depend_on_them() -> None:
    model = linear()
    weight, bias = diagonal(model)
    found, _ = held(SPEC, model, old=Rows(INPUTS, CLASSES))
    found.begin(0)
    assert model.weight.grad is None
    moved(model, 0.25)
    found.gathered()
    assert model.weight.grad is not None
    assert model.bias.grad is not None
    torch.testing.assert_close(model.weight.grad, 1 + 0.5 * weight * 0.25)
    torch.testing.assert_close(model.bias.grad, 1 + 0.5 * bias * 0.25)


def test_dropout_is_off_and_the_mode_comes_back() -> None:
    model = torch.nn.Sequential(linear(), torch.nn.Dropout(0.5)).train()
    found, _ = held(SPEC, model, old=Rows(INPUTS, CLASSES))
    found.begin(0)
    torch.testing.assert_close(found.importance("0.weight"), diagonal(model[0])[0])
    assert model.training


def test_a_checkpoint_has_the_diagonal() -> None:
    model = linear()
    found, _ = held(SPEC, model, old=Rows(INPUTS, CLASSES))
    found.begin(0)
    other, _ = held(SPEC, model, old=Rows(INPUTS, CLASSES))
    other.load(found.tensors())
    moved(model, 1.0)
    other.begin(3)  # would otherwise be computed of a model that has moved
    assert other.importance("bias").equal(found.importance("bias"))


def test_refused() -> None:
    with pytest.raises(UserError, match="needs the option 'data'"):
        held("ewc", linear())
    with pytest.raises(UserError, match="rows must be above 0"):
        held("ewc:data=a,rows=0", linear())
    together = Classes()
    together.whole = True
    with pytest.raises(UserError, match="whose rows have a loss of their own"):
        held(SPEC, linear(), objective=together)
    found, _ = held(SPEC, linear(), old=Rows(torch.zeros(1, 2), [0]), masters={})
    with pytest.raises(UserError, match="depend on no parameter"):
        found.begin(0)
