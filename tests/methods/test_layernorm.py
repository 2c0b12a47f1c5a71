"""Norms alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from instructune.architectures import Head
from instructune.errors import Exit
from tests.method_cases import Case, check, layers, refused


def test_it_has_the_size_of_its_formula() -> None:
    assert Case("layernorm").count == (2 * 2 + 1) * 64
    head = Head("sequence", ("a", "b"), pad_id=256)
    norms = (2 * 2 + 1) * 2 * 64
    assert Case("layernorm", "tiny-bert", head).count == norms + (64 * 64 + 64) + (64 * 2 + 2)


@pytest.mark.parametrize("preset", ["tiny-llama", "tiny-gpt2"])
def test_it_learns_and_comes_back(preset: str, tmp_path: Path) -> None:
    check(Case("layernorm", preset), tmp_path / "adapter")


def test_it_stays_in_the_dtype_of_the_model() -> None:
    case = Case("layernorm", dtype=torch.bfloat16)
    assert {p.dtype for p in case.trained.values()} == {torch.bfloat16}
    assert case.train().logits().isfinite().all()


def test_target_modules() -> None:
    assert layers("layernorm:target_modules=input_layernorm") == {"input_layernorm"}
    with refused(Exit.USAGE, "method 'layernorm': no layer is named 'q_proj'"):
        Case("layernorm:target_modules=q_proj")
