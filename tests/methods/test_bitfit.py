"""Biases alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructune.architectures import Head
from instructune.errors import Exit
from tests.method_cases import Case, check, refused

# of each block: four of attention, two of the feed-forward part, two of norms
BLOCK = 4 * 64 + 256 + 64 + 2 * 64


def test_it_has_the_size_of_its_formula() -> None:
    """A classifier's head and pooler are trained whole."""
    case = Case("bitfit", "tiny-bert", Head("sequence", ("a", "b"), pad_id=256))
    assert case.count == 2 * BLOCK + 64 + (64 * 64 + 64) + (64 * 2 + 2)
    assert Case("bitfit", "tiny-gpt2").count == 2 * (192 + 64 + 256 + 64 + 2 * 64) + 64


@pytest.mark.parametrize("preset", ["tiny-gpt2"])
def test_it_learns_and_comes_back(preset: str, tmp_path: Path) -> None:
    check(Case("bitfit", preset), tmp_path / "model")


@pytest.mark.parametrize("preset", ["tiny-llama"])
def test_a_model_without_biases(preset: str) -> None:
    with refused(Exit.MISMATCH, "method 'bitfit' does not fit llama models: no layer has a bias"):
        Case("bitfit", preset)
