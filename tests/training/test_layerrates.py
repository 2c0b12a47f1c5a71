"""Which parameter lies how deep, in every kind of model."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from instructune.architectures import Head
from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import resolve
from instructune.methods import methods
from instructune.models import load_model
from instructune.training.layerrates import rate_shares
from instructune.training.optimizers import Optimizer

LABELS = ("a", "b", "c")
HEADS = {
    "causal": Head(),
    "sequence": Head("sequence", LABELS, "single_label_classification", 0),
    "token": Head("token", LABELS, None, 0),
    "seq2seq": Head("seq2seq"),
    "masked": Head("masked"),
}


def tiny(name: str, head: str) -> Any:
    files = resolve(name, lambda text: None)
    return load_model(files, dtype=torch.float32, head=HEADS[head])


# each preset has two layers, so the top one's share is 1, the lower one's 1/2, embeddings 1/4
CASES = {
    ("tiny-llama", "causal"): {
        "model.embed_tokens.weight": 0.25,
        "model.layers.0.mlp.up_proj.weight": 0.5,
        "model.layers.1.mlp.up_proj.weight": 1.0,
        "model.norm.weight": 1.0,
    },
    ("tiny-gpt2", "sequence"): {
        "transformer.wte.weight": 0.25,
        "transformer.wpe.weight": 0.25,
        "transformer.h.0.ln_1.bias": 0.5,
        "transformer.h.1.ln_1.bias": 1.0,
        "transformer.ln_f.weight": 1.0,
        "score.weight": 1.0,
    },
    ("tiny-bert", "token"): {
        "bert.embeddings.position_embeddings.weight": 0.25,
        "bert.embeddings.LayerNorm.weight": 0.25,
        "bert.encoder.layer.0.output.dense.bias": 0.5,
        "bert.encoder.layer.1.output.dense.bias": 1.0,
        "classifier.weight": 1.0,
    },
    ("tiny-bert", "sequence"): {"bert.pooler.dense.weight": 1.0, "classifier.bias": 1.0},
    ("tiny-bert", "masked"): {"cls.predictions.transform.dense.weight": 1.0},
    ("tiny-t5", "seq2seq"): {
        "shared.weight": 0.25,
        "encoder.block.0.layer.0.SelfAttention.q.weight": 0.5,
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": 0.5,
        "encoder.block.1.layer.1.DenseReluDense.wo.weight": 1.0,
        "decoder.block.0.layer.1.EncDecAttention.q.weight": 0.5,
        "decoder.block.1.layer.2.DenseReluDense.wo.weight": 1.0,
        "decoder.final_layer_norm.weight": 1.0,
    },
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(case))
def test_shares(case: tuple[str, str]) -> None:
    model = tiny(*case)
    found = rate_shares(model, 0.5)
    assert found.keys() == {name for name, _ in model.named_parameters()}
    assert set(found.values()) == {0.25, 0.5, 1.0}
    assert {name: found[name] for name in CASES[case]} == CASES[case]


def test_an_adapter_lies_where_its_layer_does() -> None:
    _, method, options = methods.configure("lora:rank=2")
    model = method.apply(tiny("tiny-bert", "sequence"), options)
    found = rate_shares(model, 0.1)
    base = "base_model.model."
    lower = f"{base}bert.encoder.layer.0.attention.self.query.lora_A.default.weight"
    upper = f"{base}bert.encoder.layer.1.attention.self.query.lora_A.default.weight"
    assert (found[lower], found[upper]) == (0.1, 1.0)
    assert found[f"{base}classifier.modules_to_save.default.weight"] == 1.0


def test_where_it_makes_no_difference() -> None:
    model = tiny("tiny-bert", "sequence")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith("classifier"))
    with pytest.raises(UserError, match="all that is trained lies in one layer") as raised:
        rate_shares(model, 0.5)
    assert raised.value.code == Exit.MISMATCH
    assert raised.value.where == "--layer-decay"


@pytest.mark.parametrize("name", ["adamw", "sgd:momentum=0", "lion", "adafactor", "adamw8bit"])
def test_every_optimizer_heeds_them(name: str) -> None:
    if name == "adamw8bit":
        pytest.importorskip("bitsandbytes")
    moved = []
    for shares in ({"0.weight": 0.25, "1.weight": 0.5}, None):
        layers = torch.nn.Sequential(*(torch.nn.Linear(2, 2, bias=False) for _ in range(3)))
        for layer in layers:
            torch.nn.init.constant_(layer.weight, 0.5)  # type: ignore[arg-type]
        optimizer = Optimizer(layers, weight_decay=0.1, optimizer=name, shares=shares)
        for parameter in layers.parameters():
            parameter.grad = torch.full_like(parameter, 0.3)
        optimizer.step(0.01)
        moved.append([0.5 - parameter[0, 0].item() for parameter in layers.parameters()])
        if shares:
            assert optimizer.groups == [
                {"rate_share": share, "weight_decay": 0.1, "parameters": 4}
                for share in (1.0, 0.5, 0.25)
            ]
    scaled, plain = moved
    assert scaled == pytest.approx([plain[0] * share for share in (0.25, 0.5, 1.0)], rel=1e-4)
    assert plain[0] > 0
