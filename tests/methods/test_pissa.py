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
    assert Case(f"pissa:rank={rank}").count == low_rank(rank)


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("pissa:rank=4,alpha=8"), tmp_path / "adapter")


def test_alpha() -> None:
    assert differs("pissa:rank=4,alpha=4", "pissa:rank=4,alpha=8")


def test_dropout() -> None:
    assert drops("pissa:rank=4,dropout=0.5")
    assert not drops("pissa:rank=4")


def test_target_modules() -> None:
    assert layers("pissa:rank=4,target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers("pissa:rank=4") == LINEAR
    with refused(Exit.USAGE, "method 'pissa': no layer is named 'q_porj'"):
        Case("pissa:rank=4,target_modules=q_porj")


def test_options_that_make_no_sense() -> None:
    wrong("pissa:rank=0", "method 'pissa': rank must be at least 1, got 0")
    wrong("pissa:alpha=0", "method 'pissa': alpha must be at least 1, got 0")
    wrong("pissa:dropout=1", "method 'pissa': dropout must be from 0 to below 1, got 1.0")


def test_it_begins_as_the_model() -> None:
    case = Case("pissa:rank=4")
    assert_near(case.logits(), case.logits(case.base), 1e-6)
    inner = case.model.base_model.model.model.layers[0].self_attn.q_proj
    outer = case.base.model.layers[0].self_attn.q_proj
    assert not torch.allclose(inner.base_layer.weight, outer.weight)


def test_it_is_saved_as_lora_of_twice_the_rank(tmp_path: Path) -> None:
    folder = Case("pissa:rank=4,alpha=8").train().save(tmp_path / "adapter")
    config = json.loads((folder / "adapter_config.json").read_bytes())
    assert (config["r"], config["lora_alpha"], config["init_lora_weights"]) == (8, 16, True)


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
