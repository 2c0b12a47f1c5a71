"""LoRA on a quantised model, whichever way it begins."""

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

QUANTISED = ("qlora", "loftq")


@pytest.mark.parametrize("method", QUANTISED)
@pytest.mark.parametrize("bits", [4, 8])
def test_it_learns_and_comes_back(method: str, bits: int, tmp_path: Path) -> None:
    """Merged it equals the adapter at 4 bits; at 8 bits inputs are rounded too, merged not."""
    case = Case(f"{method}:rank=4,bits={bits}")
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


@pytest.mark.parametrize("method", QUANTISED)
def test_bits(method: str) -> None:
    kinds = {4: "Linear4bit", 8: "Linear8bitLt"}
    for bits, kind in kinds.items():
        block = Case(f"{method}:rank=4,bits={bits}").model.base_model.model.model.layers[0]
        assert type(block.mlp.up_proj.base_layer).__name__ == kind
    wrong(f"{method}:bits=2", f"method '{method}': bits must be 4 or 8, got 2")


@pytest.mark.parametrize("method", QUANTISED)
def test_rank_alpha_dropout_and_target_modules(method: str) -> None:
    spec = f"{method}:rank=4,alpha=8"
    assert Case(f"{method}:rank=1").count == low_rank(1)
    assert differs(spec, f"{method}:rank=4,alpha=4")
    assert drops(f"{spec},dropout=0.5")
    assert layers(f"{spec},target_modules=q_proj") == {"q_proj"}
    wrong(f"{method}:rank=0", f"method '{method}': rank must be at least 1, got 0")


@pytest.mark.parametrize("method", QUANTISED)
@pytest.mark.parametrize(
    ("preset", "head"),
    [("tiny-bert", Head("token", ("a", "b"))), ("tiny-t5", Head("seq2seq")), ("tiny-llama", None)],
)
@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, pytest.param(torch.float32, marks=pytest.mark.slow)]
)
def test_other_models_and_dtypes(
    method: str, preset: str, head: Head | None, dtype: torch.dtype, tmp_path: Path
) -> None:
    """Of T5, a layer that would have its inputs cast to bytes is left as it is."""
    case = Case(f"{method}:rank=4", preset, head, dtype)
    both = torch.stack([case.logits().flatten(), case.logits(case.base).flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.95
    after = case.train().logits()
    assert_near(case.logits(case.load(case.save(tmp_path / "adapter"))), after, 1e-6)


@pytest.mark.parametrize("method", QUANTISED)
def test_layers_that_cannot_be_packed(method: str) -> None:
    with refused(Exit.MISMATCH, f"method '{method}' does not fit gpt2 models"):
        Case(f"{method}", "tiny-gpt2")
