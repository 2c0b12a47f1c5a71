"""Dropout is set wherever a model has it, however it keeps it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    FalconConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    OPTConfig,
)

from instructune.architectures import Head
from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import resolve
from instructune.methods import methods
from instructune.models import load_model
from instructune.training.regularizers import set_dropout, varies

SIZES = {"vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
CONFIGS: dict[str, Any] = {
    "llama": LlamaConfig(**SIZES, intermediate_size=24),
    "gpt2": GPT2Config(
        vocab_size=64,
        n_embd=16,
        n_layer=2,
        n_head=2,
        n_positions=32,
        attn_pdrop=0.0,
        embd_pdrop=0.0,
        resid_pdrop=0.0,
    ),
    "opt": OPTConfig(
        **SIZES, ffn_dim=24, word_embed_proj_dim=16, dropout=0.0, max_position_embeddings=32
    ),
    "gpt-neox": GPTNeoXConfig(**SIZES, intermediate_size=24),
}


def tiny(name: str) -> Any:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(CONFIGS[name]).eval()


@pytest.mark.parametrize("name", CONFIGS)
def test_dropout_is_on_in_training_alone(name: str) -> None:
    model = tiny(name)
    ids = torch.arange(20)[None]

    def logits() -> torch.Tensor:
        return model(input_ids=ids, use_cache=False).logits.detach()

    plain = logits()
    random = torch.get_rng_state()
    set_dropout(model, 0.5)
    assert not model.training
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.equal(logits(), plain)
    model.train()
    assert not torch.equal(logits(), logits())
    set_dropout(model, 0.0)
    assert model.training
    assert torch.equal(logits(), plain)


LABELS = ("a", "b", "c")
SINGLE = "single_label_classification"
TINY = [
    ("tiny-bert", Head("sequence", LABELS, SINGLE, 0)),
    ("tiny-bert", Head("token", LABELS, None, 0)),
    ("tiny-bert", Head("masked")),
    ("tiny-bert", Head("encoder")),
    ("tiny-t5", Head("seq2seq")),
    ("tiny-t5", Head("token", LABELS, None, 0)),
    ("tiny-gpt2", Head("sequence", LABELS, SINGLE, 0)),
    ("tiny-llama", Head("sequence", LABELS, SINGLE, 0)),
]


@pytest.mark.parametrize(("name", "head"), TINY, ids=lambda case: getattr(case, "kind", case))
@pytest.mark.parametrize("method", ["full", "lora"])
def test_dropout_of_every_head(name: str, head: Head, method: str) -> None:
    files = resolve(name, lambda text: None)
    model: Any = load_model(files, dtype=torch.float32, head=head)
    assert not varies(model)
    set_dropout(model, 0.5)
    query = {"tiny-bert": "query", "tiny-t5": "q", "tiny-gpt2": "c_attn", "tiny-llama": "q_proj"}
    more = f":target_modules={query[name]}" if method == "lora" else ""
    _, plug_in, options = methods.configure(method + more)
    model = plug_in.apply(model, options).eval()
    random = torch.get_rng_state()
    assert varies(model)
    assert torch.equal(torch.get_rng_state(), random)
    assert not model.training


def test_a_model_that_would_not_heed_it() -> None:
    # Falcon's layers read their config, and have modules for it that they do not call
    torch.manual_seed(0)
    with pytest.raises(UserError, match="no dropout that could be set") as raised:
        set_dropout(AutoModelForCausalLM.from_config(FalconConfig(**SIZES)), 0.1)
    assert raised.value.code == Exit.MISMATCH
    assert raised.value.where == "--dropout"


def test_switches_are_not_numbers() -> None:
    model = tiny("llama")
    model.model.layers[0].mlp.use_dropout = True
    set_dropout(model, 0.25)
    assert model.model.layers[0].mlp.use_dropout is True
    assert model.model.layers[0].self_attn.attention_dropout == 0.25
