"""Rank-stabilised LoRA."""

from __future__ import annotations

from tests.method_cases import Case


def test_its_scale_is_alpha_over_the_root_of_the_rank() -> None:
    model = Case("rslora:rank=4,alpha=6").model
    assert model.base_model.model.model.layers[0].self_attn.q_proj.scaling["default"] == 3.0
