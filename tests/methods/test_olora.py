"""LoRA that begins as a part of the weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from instructune.errors import Exit
from tests.method_cases import (
    LINEAR,
    Case,
    assert_near,
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
    assert Case(f"olora:rank={rank}").count == low_rank(rank)


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("olora:rank=4,alpha=8"), tmp_path / "adapter")


def test_alpha() -> None:
    assert differs("olora:rank=4,alpha=4", "olora:rank=4,alpha=8")


def test_dropout() -> None:
    assert drops("olora:rank=4,dropout=0.5")
    assert not drops("olora:rank=4")


def test_target_modules() -> None:
    assert layers("olora:rank=4,target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers("olora:rank=4") == LINEAR
    with refused(Exit.USAGE, "method 'olora': no layer is named 'q_porj'"):
        Case("olora:rank=4,target_modules=q_porj")


def test_options_that_make_no_sense() -> None:
    wrong("olora:rank=0", "method 'olora': rank must be at least 1, got 0")
    wrong("olora:alpha=0", "method 'olora': alpha must be at least 1, got 0")
    wrong("olora:dropout=1", "method 'olora': dropout must be from 0 to below 1, got 1.0")


def test_it_begins_as_the_model() -> None:
    case = Case("olora:rank=4")
    assert_near(case.logits(), case.logits(case.base), 1e-6)
    inner = case.model.base_model.model.model.layers[0].self_attn.q_proj
    outer = case.base.model.layers[0].self_attn.q_proj
    assert not torch.allclose(inner.base_layer.weight, outer.weight)


def test_it_is_saved_as_lora_of_twice_the_rank(tmp_path: Path) -> None:
    folder = Case("olora:rank=4,alpha=8").train().save(tmp_path / "adapter")
    config = json.loads((folder / "adapter_config.json").read_bytes())
    assert (config["r"], config["lora_alpha"], config["init_lora_weights"]) == (8, 16, True)


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
