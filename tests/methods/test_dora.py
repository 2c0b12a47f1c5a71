"""LoRA of directions with lengths of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from instructune.errors import Exit
from tests.method_cases import (
    LAYERS,
    LINEAR,
    Case,
    check,
    differs,
    drops,
    layers,
    low_rank,
    refused,
    wrong,
)


@pytest.mark.parametrize("rank", [1, 4])
def test_it_has_the_size_of_its_formula(rank: int) -> None:
    assert Case(f"dora:rank={rank}").count == low_rank(rank) + sum(rows for rows, _ in LAYERS)


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("dora:rank=4,alpha=8"), tmp_path / "adapter")


def test_alpha() -> None:
    assert differs("dora:rank=4,alpha=4", "dora:rank=4,alpha=8")


def test_dropout() -> None:
    assert drops("dora:rank=4,dropout=0.5")
    assert not drops("dora:rank=4")


def test_target_modules() -> None:
    assert layers("dora:rank=4,target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers("dora:rank=4") == LINEAR
    with refused(Exit.USAGE, "method 'dora': no layer is named 'q_porj'"):
        Case("dora:rank=4,target_modules=q_porj")


def test_options_that_make_no_sense() -> None:
    wrong("dora:rank=0", "method 'dora': rank must be at least 1, got 0")
    wrong("dora:alpha=0", "method 'dora': alpha must be at least 1, got 0")
    wrong("dora:dropout=1", "method 'dora': dropout must be from 0 to below 1, got 1.0")


def test_it_begins_as_the_model_with_the_lengths_of_its_rows() -> None:
    case = Case("dora:rank=4")
    layer = case.model.base_model.model.model.layers[1].mlp.up_proj
    lengths = layer.lora_magnitude_vector["default"].weight
    torch.testing.assert_close(lengths, layer.base_layer.weight.norm(dim=1))
    torch.testing.assert_close(case.logits(), case.logits(case.base))
