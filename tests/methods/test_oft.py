"""Rotations in blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructune.errors import Exit
from tests.method_cases import LINEAR, Case, check, layers, refused, wrong


@pytest.mark.parametrize("size", [8, 16])
def test_it_has_the_size_of_its_formula(size: int) -> None:
    """Each block of the inputs has as many angles as there are pairs."""
    inputs = 2 * (6 * 64 + 176)
    assert Case(f"oft:block_size={size}").count == inputs // size * size * (size - 1) // 2


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("oft:block_size=16"), tmp_path / "adapter")


def test_target_modules() -> None:
    assert layers("oft:block_size=8,target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers("oft:block_size=8") == LINEAR


def test_what_makes_no_sense() -> None:
    wrong("oft:block_size=1", "method 'oft': block_size must be at least 2, got 1")
    with refused(Exit.MISMATCH, "method 'oft' does not fit gpt2 models"):
        Case("oft", "tiny-gpt2")
