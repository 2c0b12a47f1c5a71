"""LoRA on a quantised model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from instructune.architectures import Head
from instructune.errors import Exit
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
    case = Case(f"qlora:rank=4,bits={bits}")
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
        layer = Case(f"qlora:rank=4,bits={bits}").model.base_model.model.model.layers[0].mlp.up_proj
        assert type(layer.base_layer).__name__ == kind
    wrong("qlora:bits=2", "method 'qlora': bits must be 4 or 8, got 2")


def test_rank_alpha_dropout_and_target_modules() -> None:
    spec = "qlora:rank=4,alpha=8"
    assert Case("qlora:rank=1").count == low_rank(1)
    assert differs(spec, "qlora:rank=4,alpha=4")
    assert drops(f"{spec},dropout=0.5")
    assert layers(f"{spec},target_modules=q_proj") == {"q_proj"}
    wrong("qlora:rank=0", "method 'qlora': rank must be at least 1, got 0")


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
    case = Case("qlora:rank=4", preset, head, dtype)
    both = torch.stack([case.logits().flatten(), case.logits(case.base).flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.95
    after = case.train().logits()
    assert_near(case.logits(case.load(case.save(tmp_path / "adapter"))), after, 1e-6)


def test_layers_that_cannot_be_packed() -> None:
    with refused(Exit.MISMATCH, "method 'qlora' does not fit gpt2 models"):
        Case("qlora", "tiny-gpt2")
