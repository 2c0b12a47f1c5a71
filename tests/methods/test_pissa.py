"""LoRA that begins as a part of the weights."""

from __future__ import annotations

import torch

from tests.method_cases import (
    Case,
    differs,
    wrong,
)


def test_its_factors_are_the_largest_singular_values() -> None:
    case = Case("pissa:rank=4,alpha=4")
    layer = case.model.base_model.model.model.layers[0].mlp.down_proj
    product = layer.lora_B["default"].weight @ layer.lora_A["default"].weight
    whole = case.base.model.layers[0].mlp.down_proj.weight
    values = torch.linalg.svdvals(whole)
    torch.testing.assert_close(torch.linalg.svdvals(product)[:4], values[:4])
    torch.testing.assert_close(torch.linalg.svdvals(whole - product)[:60], values[4:])


def test_iterations() -> None:
    assert differs("pissa:rank=4", "pissa:rank=4,iterations=1")
    wrong("pissa:iterations=-1", "method 'pissa': iterations must be at least 0, got -1")
