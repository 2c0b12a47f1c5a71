"""LoRA on a quantised model."""

from __future__ import annotations

import pytest
import torch

from instructune.quantization import dequantized
from tests.method_cases import (
    Case,
)

pytest.importorskip("bitsandbytes")


def test_it_begins_nearer_to_the_model_than_what_is_quantised_alone() -> None:
    plain, better = Case("qlora:rank=8"), Case("loftq:rank=8")
    expected = plain.logits(plain.base)
    far, near = ((case.logits() - expected).abs().mean() for case in (plain, better))
    assert near < 0.9 * far


def test_its_factors_are_the_best_of_their_rank() -> None:
    case = Case("loftq:rank=4,alpha=8")
    layer = case.model.base_model.model.model.layers[1].mlp.down_proj
    lost = case.base.model.layers[1].mlp.down_proj.weight - dequantized(layer.base_layer)
    rest = lost - 2 * layer.lora_B["default"].weight @ layer.lora_A["default"].weight
    left = torch.linalg.svdvals(lost)[4:].square().sum()
    torch.testing.assert_close(rest.square().sum(), left)
