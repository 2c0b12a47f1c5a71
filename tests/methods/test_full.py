"""Full training: every parameter, also those that were frozen."""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from instructune.methods import full, methods


def test_everything_is_trained() -> None:
    config = LlamaConfig(
        vocab_size=16,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    model = LlamaForCausalLM(config)
    model.requires_grad_(False)
    trained = full.apply(model, None)
    assert trained is model
    assert all(p.requires_grad for p in model.parameters())
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_it_is_no_adapter_and_takes_no_options() -> None:
    assert (full.ADAPTER, full.MERGES) == (False, False)
    assert methods.configure("full") == ("full", full, None)
