"""LoRA of directions with lengths of their own."""

from __future__ import annotations

import pytest
import torch

from tests.method_cases import LAYERS, Case, low_rank


@pytest.mark.parametrize("rank", [1, 4])
def test_it_has_the_size_of_its_formula(rank: int) -> None:
    assert Case(f"dora:rank={rank}").count == low_rank(rank) + sum(rows for rows, _ in LAYERS)


def test_it_begins_as_the_model_with_the_lengths_of_its_rows() -> None:
    case = Case("dora:rank=4")
    layer = case.model.base_model.model.model.layers[1].mlp.up_proj
    lengths = layer.lora_magnitude_vector["default"].weight
    torch.testing.assert_close(lengths, layer.base_layer.weight.norm(dim=1))
    torch.testing.assert_close(case.logits(), case.logits(case.base))
