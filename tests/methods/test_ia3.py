"""Learned scales."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructune.errors import Exit
from instructune.methods import ia3
from tests.method_cases import Case, check, layers, refused, wrong


def test_it_has_the_size_of_its_formula() -> None:
    """Outputs of keys and values, inputs of the layer that ends the feed-forward part."""
    assert Case("ia3").count == 2 * (32 + 32 + 176)


@pytest.mark.parametrize("preset", ["tiny-llama", "tiny-gpt2"])
def test_it_learns_and_comes_back(preset: str, tmp_path: Path) -> None:
    check(Case("ia3", preset), tmp_path / "adapter")


def test_target_modules() -> None:
    assert layers("ia3") == {"k_proj", "v_proj", "down_proj"}
    assert layers("ia3:target_modules=q_proj") == {"q_proj"}


def test_feedforward_modules() -> None:
    assert Case("ia3:target_modules=up_proj").count == 2 * 176
    assert Case("ia3:target_modules=up_proj,feedforward_modules=up_proj").count == 2 * 64
    wrong(
        "ia3:target_modules=q_proj,feedforward_modules=up_proj",
        "method 'ia3': feedforward_modules must be target_modules too: up_proj",
    )


def test_a_model_whose_layers_are_not_known() -> None:
    model = Case("full").model
    model.config.model_type = "novel"
    with refused(Exit.MISMATCH, "does not fit novel models: name target_modules"):
        ia3.apply(model, ia3.Options())
