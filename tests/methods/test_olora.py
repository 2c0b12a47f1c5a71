"""LoRA that begins as a part of the weights."""

from __future__ import annotations

import torch

from instructune.errors import Exit
from tests.method_cases import (
    Case,
    refused,
)


def test_its_factors_are_the_first_of_q_and_r() -> None:
    case = Case("olora:rank=4,alpha=4")
    layer = case.model.base_model.model.model.layers[0].mlp.down_proj
    b, a = layer.lora_B["default"].weight, layer.lora_A["default"].weight
    torch.testing.assert_close(b.T @ b, torch.eye(4))
    first = case.base.model.layers[0].mlp.down_proj.weight[:, :4]
    torch.testing.assert_close((b @ a)[:, :4], first)


def test_layers_it_cannot_take_apart() -> None:
    with refused(Exit.MISMATCH, "method 'olora' does not fit gpt2 models"):
        Case("olora:target_modules=c_attn", "tiny-gpt2")
