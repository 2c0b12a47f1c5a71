"""LoRA on a quantised model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from instructune.architectures import Head
from instructune.errors import Exit
from instructune.quantization import dequantized
from tests.method_cases import (
    Case,
    assert_near,
    differs,
    drops,
    layers,
    low_rank,
    refused,
    wrong,
)

pytest.importorskip("bitsandbytes")


@pytest.mark.parametrize("bits", [4, 8])
def test_it_learns_and_comes_back(bits: int, tmp_path: Path) -> None:
    """Merged it equals the adapter at 4 bits; at 8 bits inputs are rounded too, merged not."""
    case = Case(f"loftq:rank=4,bits={bits}")
    assert case.count == low_rank(4)
    first = case.logits()
    assert_near(first, case.logits(case.base), 0.1)
    after = case.train().logits()
    folder = case.save(tmp_path / "adapter")
    assert (after - first).abs().max() > 1e-2
    assert_near(case.logits(case.load(folder)), after, 1e-6)
    assert_near(case.logits(case.merged(folder)), after, 1e-5 if bits == 4 else 0.05)
    settings = json.loads((folder / "quantization.json").read_bytes())
    assert settings[f"load_in_{bits}bit"] is True
    assert settings["llm_int8_skip_modules"] == ["lm_head"]


def test_bits() -> None:
    kinds = {4: "Linear4bit", 8: "Linear8bitLt"}
    for bits, kind in kinds.items():
        layer = Case(f"loftq:rank=4,bits={bits}").model.base_model.model.model.layers[0].mlp.up_proj
        assert type(layer.base_layer).__name__ == kind
    wrong("loftq:bits=2", "method 'loftq': bits must be 4 or 8, got 2")


def test_rank_alpha_dropout_and_target_modules() -> None:
    spec = "loftq:rank=4,alpha=8"
    assert Case("loftq:rank=1").count == low_rank(1)
    assert differs(spec, "loftq:rank=4,alpha=4")
    assert drops(f"{spec},dropout=0.5")
    assert layers(f"{spec},target_modules=q_proj") == {"q_proj"}
    wrong("loftq:rank=0", "method 'loftq': rank must be at least 1, got 0")


@pytest.mark.parametrize(
    ("preset", "head"),
    [("tiny-bert", Head("token", ("a", "b"))), ("tiny-t5", Head("seq2seq")), ("tiny-llama", None)],
)
@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, pytest.param(torch.float32, marks=pytest.mark.slow)]
)
def test_other_models_and_dtypes(
    preset: str, head: Head | None, dtype: torch.dtype, tmp_path: Path
) -> None:
    """Of T5, a layer that would have its inputs cast to bytes is left as it is."""
    case = Case("loftq:rank=4", preset, head, dtype)
    both = torch.stack([case.logits().flatten(), case.logits(case.base).flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.95
    after = case.train().logits()
    assert_near(case.logits(case.load(case.save(tmp_path / "adapter"))), after, 1e-6)


def test_layers_that_cannot_be_packed() -> None:
    with refused(Exit.MISMATCH, "method 'loftq' does not fit gpt2 models"):
        Case("loftq", "tiny-gpt2")


def test_it_begins_nearer_to_the_model_than_what_is_quantised_alone() -> None:
    plain, better = Case("qlora:rank=8"), Case("loftq:rank=8")
    expected = plain.logits(plain.base)
    far, near = ((case.logits() - expected).abs().mean() for case in (plain, better))
    assert near < 0.9 * far


def test_its_factors_are_the_best_of_their_rank() -> None:
    case = Case("loftq:rank=4,alpha=8")
    layer = case.model.base_model.model.model.layers[1].mlp.down_proj
    lost = case.base.model.layers[1].mlp.down_proj.weight - dequantized(layer.base_layer)
    rest = lost - 2 * layer.lora_B["default"].weight @ layer.lora_A["default"].weight
    left = torch.linalg.svdvals(lost)[4:].square().sum()
    torch.testing.assert_close(rest.square().sum(), left)
