"""Rank-stabilised LoRA."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructune.errors import Exit
from tests.method_cases import (
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
    assert Case(f"rslora:rank={rank}").count == low_rank(rank)


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("rslora:rank=4,alpha=8"), tmp_path / "adapter")


def test_alpha() -> None:
    assert differs("rslora:rank=4,alpha=4", "rslora:rank=4,alpha=8")


def test_dropout() -> None:
    assert drops("rslora:rank=4,dropout=0.5")
    assert not drops("rslora:rank=4")


def test_target_modules() -> None:
    assert layers("rslora:rank=4,target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers("rslora:rank=4") == LINEAR
    with refused(Exit.USAGE, "method 'rslora': no layer is named 'q_porj'"):
        Case("rslora:rank=4,target_modules=q_porj")


def test_options_that_make_no_sense() -> None:
    wrong("rslora:rank=0", "method 'rslora': rank must be at least 1, got 0")
    wrong("rslora:alpha=0", "method 'rslora': alpha must be at least 1, got 0")
    wrong("rslora:dropout=1", "method 'rslora': dropout must be from 0 to below 1, got 1.0")


def test_its_scale_is_alpha_over_the_root_of_the_rank() -> None:
    model = Case("rslora:rank=4,alpha=6").model
    assert model.base_model.model.model.layers[0].self_attn.q_proj.scaling["default"] == 3.0
