"""The 8-bit memory: near to AdamW, of a byte a value; and what is told where it is missing."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

from instructune.errors import Exit, UserError
from instructune.training.optimizers import Optimizer
from tests.tuning import updates


def trained(optimizer: str, *, decay: float = 0.1) -> tuple[Optimizer, torch.Tensor]:
    """A matrix of 6400 values after six updates, and what it was."""
    torch.manual_seed(0)
    model = torch.nn.Linear(80, 80, bias=False)
    before = model.weight.detach().clone()
    updating = Optimizer(model, weight_decay=decay, optimizer=optimizer)
    for _ in range(6):
        model.weight.grad = torch.randn_like(model.weight)
        updating.step(0.01)
    return updating, model.weight.detach() - before


def memory_of(updating: Optimizer) -> dict[str, Any]:
    return updating.rule.state[updating.masters[0]]


def test_near_to_adamw() -> None:
    pytest.importorskip("bitsandbytes")
    updating, moved = trained("adamw8bit")
    _, exact = trained("adamw")
    assert (moved - exact).norm() / exact.norm() < 0.05
    assert memory_of(updating)["state1"].dtype == torch.uint8
    assert memory_of(updating)["state2"].dtype == torch.uint8


def test_small_tensors_are_remembered_exactly() -> None:
    pytest.importorskip("bitsandbytes")
    updating, moved = trained("adamw8bit:min_size=10000")
    assert memory_of(updating)["state1"].dtype == torch.float32
    torch.testing.assert_close(moved, trained("adamw")[1], rtol=1e-4, atol=1e-6)
    for option in ("beta1=0.5", "beta2=0.9", "eps=0.1"):
        found = trained(f"adamw8bit:min_size=10000,{option}")[1]
        wanted = trained(f"adamw:{option}")[1]
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(UserError) as raised:
        updates("adamw8bit", 2.0, [])
    assert raised.value.code == Exit.UNAVAILABLE
    assert raised.value.hint == "pip install 'instructune[quant]'"


def test_refused() -> None:
    for option in ("beta1=1", "beta2=1", "eps=0", "min_size=0"):
        with pytest.raises(UserError, match="optimizer 'adamw8bit': ") as raised:
            updates(f"adamw8bit:{option}", 2.0, [])
        assert raised.value.code == 2
