"""LoRA: its formula, its size, and an effect of each of its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from instructune.architectures import Head
from instructune.errors import Exit, UserError
from instructune.libraries import quiet
from instructune.methods import lora, methods
from instructune.methods.lora import Options
from tests.method_cases import Case, check
from tests.tuning import train_run, write_rows

IDS = torch.arange(12)[None]


def llama(dtype: torch.dtype = torch.float32) -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=24,
    )
    return LlamaForCausalLM(config).to(dtype)


def gpt2() -> Any:
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=40, n_embd=16, n_layer=1, n_head=2, n_positions=16)
    return GPT2LMHeadModel(config)


def applied(model: Any, **options: Any) -> Any:
    with quiet():
        return lora.apply(model, Options(**options))


def trained(model: Any) -> dict[str, torch.Tensor]:
    return {n: p for n, p in model.named_parameters() if p.requires_grad}


def modules(model: Any) -> set[str]:
    return {name.partition(".lora_")[0].rpartition(".")[2] for name in trained(model)}


def with_updates(model: Any) -> Any:
    """B is 0 to begin with; fill it, so that there is an update to see."""
    generator = torch.Generator().manual_seed(1)
    for name, parameter in trained(model).items():
        if "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator)
    return model


def test_the_update_is_alpha_over_rank_times_b_a() -> None:
    plain = llama().eval()
    model = with_updates(applied(llama(), rank=4, alpha=6)).eval()
    layer = model.base_model.model.model.layers[1].self_attn.v_proj
    x = torch.randn(3, 16)
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    expected = plain.model.layers[1].self_attn.v_proj(x) + (x @ a.T @ b.T) * 6 / 4
    torch.testing.assert_close(layer(x), expected)


def test_it_begins_as_the_model_it_is_put_on() -> None:
    with torch.no_grad():
        assert torch.equal(applied(llama()).eval()(IDS).logits, llama().eval()(IDS).logits)


def test_linear_layers_but_the_output_layer_by_default() -> None:
    attention = {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert modules(applied(llama())) == attention | {"gate_proj", "up_proj", "down_proj"}
    assert modules(applied(gpt2())) == {"c_attn", "c_proj", "c_fc"}


@pytest.mark.parametrize("rank", [1, 4])
def test_rank(rank: int) -> None:
    shapes = [(16, 16), (16, 8), (16, 8), (16, 16), (16, 24), (16, 24), (24, 16)]
    expected = 2 * sum(rank * (rows + columns) for rows, columns in shapes)
    model = applied(llama(), rank=rank)
    assert sum(p.numel() for p in trained(model).values()) == expected
    shapes = [(16, 48), (16, 16), (16, 64), (64, 16)]
    expected = sum(rank * (rows + columns) for rows, columns in shapes)
    model = applied(gpt2(), rank=rank)
    assert sum(p.numel() for p in trained(model).values()) == expected


def test_alpha() -> None:
    logits = []
    with torch.no_grad():
        for alpha in (8, 16):
            torch.manual_seed(3)  # A is drawn
            logits.append(with_updates(applied(llama(), alpha=alpha)).eval()(IDS).logits)
    assert not torch.allclose(*logits)


def test_dropout() -> None:
    model = with_updates(applied(llama(), dropout=0.5)).train()
    with torch.no_grad():
        assert not torch.equal(model(IDS).logits, model(IDS).logits)
        model.eval()
        assert torch.equal(model(IDS).logits, model(IDS).logits)
        model = with_updates(applied(llama())).train()
        assert torch.equal(model(IDS).logits, model(IDS).logits)


def test_target_modules() -> None:
    assert modules(applied(llama(), target_modules=("q_proj", "v_proj"))) == {"q_proj", "v_proj"}
    model = applied(llama(), target_modules=("layers.1.mlp.up_proj",))
    assert {".".join(name.split(".")[3:7]) for name in trained(model)} == {"layers.1.mlp.up_proj"}
    assert modules(applied(llama(), target_modules=("lm_head",))) == {"lm_head"}


def test_adapters_are_float32_and_the_rest_frozen() -> None:
    model = applied(llama(torch.bfloat16))
    assert {p.dtype for p in trained(model).values()} == {torch.float32}
    frozen = [p for p in model.parameters() if not p.requires_grad]
    assert {p.dtype for p in frozen} == {torch.bfloat16}
    assert all("lora_" in name for name in trained(model))


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("lora:rank=0", "rank must be at least 1, got 0"),
        ("lora:alpha=-1", "alpha must be at least 1, got -1"),
        ("lora:dropout=1", "dropout must be from 0 to below 1, got 1.0"),
        ("lora:rnak=8", "no option 'rnak'"),
    ],
)
def test_options_that_make_no_sense(spec: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as raised:
        methods.configure(spec)
    assert raised.value.code == Exit.USAGE


@pytest.mark.parametrize("name", ["q_porj", "input_layernorm", "layers"])
def test_layers_that_are_not_there_or_cannot_be_updated(name: str) -> None:
    with pytest.raises(UserError, match=f"no layer is named '{name}'") as raised:
        applied(llama(), target_modules=("v_proj", name))
    assert raised.value.code == Exit.USAGE
    assert "_proj" in (raised.value.hint or "")


def test_its_facts() -> None:
    facts = methods.facts("lora")
    assert (facts["ADAPTER"], facts["MERGES"]) == (True, True)
    assert "2106.09685" in facts["PAPER"]


@pytest.mark.parametrize(
    ("preset", "head", "count"),
    [
        ("tiny-llama", Head(), 2 * 4 * (128 + 96 + 96 + 128 + 3 * 240)),
        ("tiny-t5", Head("seq2seq"), 2 * 4 * (12 * 128 + 6 * 192)),
        ("tiny-bert", Head("masked"), 2 * 4 * (4 * 128 + 2 * 320) + 4 * 128),
        # a head is trained whole, and so is a pooler that is drawn with it
        ("tiny-bert", Head("token", ("a", "b")), 2 * 4 * (4 * 128 + 2 * 320) + 130),
        (
            "tiny-bert",
            Head("sequence", ("a", "b"), pad_id=256),
            2 * 4 * (4 * 128 + 2 * 320) + 130 + 64 * 65,
        ),
        (
            "tiny-llama",
            Head("sequence", ("a", "b"), pad_id=256),
            2 * 4 * (128 + 96 + 96 + 128 + 3 * 240) + 128,
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Head) else None,
)
def test_every_head_is_learned_and_comes_back(
    preset: str, head: Head, count: int, tmp_path: Path
) -> None:
    case = check(Case("lora:rank=4", preset, head), tmp_path / "adapter")
    assert case.count == count


def test_a_head_in_bfloat16_is_saved_in_all_its_digits(tmp_path: Path) -> None:
    """The parameter is the rounding of what is learned, which is what is saved."""
    rows = [{"tokens": ["to", "Rome"], "tags": ["O", "B-x"], "id": str(i)} for i in range(4)]
    write_rows(tmp_path / "data.jsonl", rows)
    given = {"objective": "tag", "model": "tiny-bert", "method": "lora:rank=4", "steps": 2}
    train_run(tmp_path, **given, dtype="bfloat16")
    saved = load_file(tmp_path / "run/adapter/adapter_model.safetensors")
    weight = saved["base_model.model.classifier.weight"]
    assert weight.dtype == torch.float32
    assert not weight.equal(weight.bfloat16().float())
