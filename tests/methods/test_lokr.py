"""Kronecker products."""

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
    refused,
    wrong,
)


@pytest.mark.parametrize("rank", [1, 4])
def test_it_has_the_size_of_its_formula(rank: int) -> None:
    assert Case(f"lokr:rank={rank}").count == 2 * {1: 592, 4: 1000}[rank]


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("lokr:rank=2,alpha=8"), tmp_path / "adapter")


def test_alpha() -> None:
    assert differs("lokr:rank=2,alpha=4", "lokr:rank=2,alpha=8")


def test_dropout() -> None:
    assert drops("lokr:rank=2,dropout=0.5")
    assert not drops("lokr:rank=2")


def test_target_modules() -> None:
    assert layers("lokr:rank=2,target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers("lokr:rank=2") == LINEAR
    with refused(Exit.USAGE, "method 'lokr': no layer is named 'q_porj'"):
        Case("lokr:rank=2,target_modules=q_porj")


def test_options_that_make_no_sense() -> None:
    wrong("lokr:rank=0", "method 'lokr': rank must be at least 1, got 0")
    wrong("lokr:alpha=0", "method 'lokr': alpha must be at least 1, got 0")
    wrong("lokr:dropout=1", "method 'lokr': dropout must be from 0 to below 1, got 1.0")


def test_factor() -> None:
    # q_proj alone: 64 = 2 x 32, so 2 x 2 and two factors of rank 4
    spec = "lokr:rank=4,target_modules=layers.0.self_attn.q_proj"
    assert Case(f"{spec},factor=2").count == 2 * 2 + 4 * (32 + 32)
    assert Case(f"{spec}").count == 8 * 8 + 8 * 8
    wrong("lokr:factor=0", "method 'lokr': factor must be at least 1, got 0")


def test_layers_it_cannot_update() -> None:
    with refused(Exit.MISMATCH, "method 'lokr' does not fit gpt2 models"):
        Case("lokr", "tiny-gpt2")
