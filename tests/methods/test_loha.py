"""Products of two low-rank updates."""

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
    assert Case(f"loha:rank={rank}").count == 2 * low_rank(rank)


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("loha:rank=4,alpha=8"), tmp_path / "adapter")


def test_alpha() -> None:
    assert differs("loha:rank=4,alpha=4", "loha:rank=4,alpha=8")


def test_dropout() -> None:
    assert drops("loha:rank=4,dropout=0.5")
    assert not drops("loha:rank=4")


def test_target_modules() -> None:
    assert layers("loha:rank=4,target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers("loha:rank=4") == LINEAR
    with refused(Exit.USAGE, "method 'loha': no layer is named 'q_porj'"):
        Case("loha:rank=4,target_modules=q_porj")


def test_options_that_make_no_sense() -> None:
    wrong("loha:rank=0", "method 'loha': rank must be at least 1, got 0")
    wrong("loha:alpha=0", "method 'loha': alpha must be at least 1, got 0")
    wrong("loha:dropout=1", "method 'loha': dropout must be from 0 to below 1, got 1.0")


def test_layers_it_cannot_update() -> None:
    with refused(Exit.MISMATCH, "method 'loha' does not fit gpt2 models"):
        Case("loha", "tiny-gpt2")
