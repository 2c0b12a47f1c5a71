"""What low-rank updates have in common: size, reload and merge, and each of their options."""

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

RESIDUAL = ("pissa", "olora")
LOW_RANK = ("rslora", *RESIDUAL)
UPDATES = (*LOW_RANK, "dora", "loha")


@pytest.mark.parametrize("method", LOW_RANK)
@pytest.mark.parametrize("rank", [1, 4])
def test_it_has_the_size_of_its_formula(method: str, rank: int) -> None:
    assert Case(f"{method}:rank={rank}").count == low_rank(rank)


@pytest.mark.parametrize("method", UPDATES)
def test_it_learns_and_comes_back(method: str, tmp_path: Path) -> None:
    check(Case(f"{method}:rank=4,alpha=8"), tmp_path / "adapter")


@pytest.mark.parametrize("method", UPDATES)
def test_alpha(method: str) -> None:
    assert differs(f"{method}:rank=4,alpha=4", f"{method}:rank=4,alpha=8")


@pytest.mark.parametrize("method", UPDATES)
def test_dropout(method: str) -> None:
    assert drops(f"{method}:rank=4,dropout=0.5")
    assert not drops(f"{method}:rank=4")


@pytest.mark.parametrize("method", UPDATES)
def test_target_modules(method: str) -> None:
    assert layers(f"{method}:rank=4,target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers(f"{method}:rank=4") == LINEAR
    with refused(Exit.USAGE, f"method '{method}': no layer is named 'q_porj'"):
        Case(f"{method}:rank=4,target_modules=q_porj")


@pytest.mark.parametrize("method", UPDATES)
def test_options_that_make_no_sense(method: str) -> None:
    wrong(f"{method}:rank=0", f"method '{method}': rank must be at least 1, got 0")
    wrong(f"{method}:alpha=0", f"method '{method}': alpha must be at least 1, got 0")
    wrong(f"{method}:dropout=1", f"method '{method}': dropout must be from 0 to below 1, got 1.0")


@pytest.mark.parametrize("method", RESIDUAL)
def test_it_begins_as_the_model(method: str) -> None:
    case = Case(f"{method}:rank=4")
    assert_near(case.logits(), case.logits(case.base), 1e-6)
    inner = case.model.base_model.model.model.layers[0].self_attn.q_proj
    outer = case.base.model.layers[0].self_attn.q_proj
    assert not torch.allclose(inner.base_layer.weight, outer.weight)


@pytest.mark.parametrize("method", RESIDUAL)
def test_it_is_saved_as_lora_of_twice_the_rank(method: str, tmp_path: Path) -> None:
    folder = Case(f"{method}:rank=4,alpha=8").train().save(tmp_path / "adapter")
    config = json.loads((folder / "adapter_config.json").read_bytes())
    assert (config["r"], config["lora_alpha"], config["init_lora_weights"]) == (8, 16, True)
