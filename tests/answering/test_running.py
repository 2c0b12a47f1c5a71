"""Rows of many architectures, padded and joined, answer as each would alone."""

from __future__ import annotations

from typing import Any

import peft
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

from instructune.answering import caches, running
from instructune.answering.running import PaddedRows, Rows, common_start, groups, rows_of
from instructune.errors import Exit, UserError
from tests.generating import answers, peer

STOPS = frozenset((2, 50))
SIZES = {
    "vocab_size": 97,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256}
MOE = {"num_local_experts": 4, "num_experts_per_tok": 2}
LINEAR = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
LATENT = {
    "num_key_value_heads": 4,
    "q_lora_rank": 16,
    "kv_lora_rank": 8,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
SLIDING = {"sliding_window": 6}
SOFT = SLIDING | {"query_pre_attn_scalar": 8, "head_dim": 8}
QWEN_NEXT = {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "head_dim": 8,
}

# how they see places and the past: rotary, windows, learned places, slopes without
# `position_ids`, convolutions, states, chunks
QUICK: dict[str, tuple[type, dict[str, Any]]] = {
    "mistral": (Rows, SLIDING),
    "gpt2": (Rows, GPT),
    "bloom": (Rows, {"n_layer": 2, "n_head": 4}),
    "lfm2": (PaddedRows, {"layer_types": ["conv", "full_attention"]}),
    "mamba": (PaddedRows, {"state_size": 4}),
    "llama4_text": (PaddedRows, {"attention_chunk_size": 8, **MOE, "intermediate_size_mlp": 48}),
}
SLOW: dict[str, tuple[type, dict[str, Any]]] = {
    "llama": (Rows, {}),
    "qwen2": (Rows, SLIDING | {"use_sliding_window": True, "max_window_layers": 1}),
    "qwen3": (Rows, {"head_dim": 8}),
    "phi3": (Rows, SLIDING),
    "gemma2": (Rows, SOFT),
    "gemma3_text": (Rows, SOFT),
    "olmo2": (Rows, {}),
    "starcoder2": (Rows, {}),
    "cohere": (Rows, {}),
    "stablelm": (Rows, {}),
    "granite": (Rows, {}),
    "gpt_neox": (Rows, {}),
    "gptj": (Rows, GPT | {"rotary_dim": 4}),
    "opt": (Rows, {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    "mpt": (Rows, {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 256}),
    "falcon": (Rows, {"alibi": True}),
    "deepseek_v3": (Rows, LATENT),
    "gpt_oss": (Rows, SLIDING | MOE | {"head_dim": 8}),
    "mixtral": (Rows, MOE),
    "smollm3": (Rows, {}),
    "mamba2": (PaddedRows, {"state_size": 4, "num_heads": 8, "head_dim": 8, "n_groups": 2}),
    "falcon_h1": (PaddedRows, {"mamba_n_heads": 4, "mamba_d_ssm": 32, "mamba_d_head": 8}),
    "qwen3_next": (PaddedRows, LINEAR | QWEN_NEXT),
    "qwen3_5_text": (PaddedRows, LINEAR | {"head_dim": 8}),
}


def build(kind: str, settings: dict[str, Any], seed: int = 0) -> Any:
    """A small random model of a type, with weights so large that its answers vary."""
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    config = AutoConfig.for_model(kind, **(SIZES | settings))
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.25)
    return model


def some_prompts() -> list[list[int]]:
    draw = torch.Generator().manual_seed(1)
    tokens = torch.randint(3, 97, (60,), generator=draw).tolist()
    start, rest = tokens[:10], tokens[10:]
    found = [start + rest[at : at + length] for at, length in ((0, 1), (1, 3), (4, 14), (20, 5))]
    return [*found, start + rest[:2], found[0]]


def check(model: Any, expected: Any) -> None:
    """Compare with `generate` at each batch size; rows join and leave, and memory moves."""
    asked = some_prompts()
    limits = [17, 5, 9, 17, 3, 17]
    wanted = [peer(model, ids, most, STOPS) for ids, most in zip(asked, limits, strict=True)]
    assert len({tuple(ids) for ids in wanted}) > 3
    assert type(rows_of(model, asked)) is expected
    for batch_size in (1, 3, 6):
        found = answers(model, asked, limits, stops=STOPS, batch_size=batch_size)
        assert [row.ids for row in found] == wanted, f"batch size {batch_size}"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little room and so small groups that all ways are gone."""
    monkeypatch.setattr(running, "_GROUP", 24)
    for module in (caches, running):
        monkeypatch.setattr(module, "SPARE", 5)


@pytest.mark.parametrize("kind", QUICK)
def test_every_kind_of_model_answers_as_generate_does(kind):
    expected, settings = QUICK[kind]
    check(build(kind, settings), expected)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SLOW)
def test_every_other_kind_of_model_answers_as_generate_does(kind):
    expected, settings = SLOW[kind]
    check(build(kind, settings), expected)


def adapted(kind: str, seed: int = 0, **options: Any) -> Any:
    """A tiny Llama with a random adapter."""
    configs = {
        "lora": peft.LoraConfig,
        "prefix": peft.PrefixTuningConfig,
        "prompt": peft.PromptTuningConfig,
        "p_tuning": peft.PromptEncoderConfig,
    }
    model = build("llama", {})
    torch.manual_seed(seed)
    wrapped: Any = peft.get_peft_model(model, configs[kind](task_type="CAUSAL_LM", **options))
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if parameter.requires_grad:
                parameter.normal_(0, 0.5 if "lora" in name else 1.0)
    return wrapped.eval()


@pytest.mark.filterwarnings("ignore:Position ids are not supported")
@pytest.mark.parametrize("kind", ["lora", "prefix", "prompt", "p_tuning"])
def test_adapters_answer_as_generate_does(kind):
    """Virtual tokens stand before every prompt, and before what all prompts share."""
    options = {"r": 2} if kind == "lora" else {"num_virtual_tokens": 4}
    wrapped = adapted(kind, **options)
    check(wrapped, Rows)
    plain = peer(build("llama", {}), some_prompts()[2], 9, STOPS)
    assert peer(wrapped, some_prompts()[2], 9, STOPS) != plain


def test_virtual_tokens_need_keys_and_values():
    inner = build("lfm2", QUICK["lfm2"][1])
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    config.token_dim, config.num_layers, config.num_attention_heads = 32, 2, 4
    wrapped = peft.get_peft_model(inner, config)
    with pytest.raises(UserError, match="virtual tokens does not fit lfm2") as caught:
        rows_of(wrapped, [[1, 2]])
    assert caught.value.code == Exit.MISMATCH


def test_a_model_without_a_cache_is_refused():
    with pytest.raises(UserError, match="models of type rwkv cannot go on") as caught:
        rows_of(build("rwkv", {"attention_hidden_size": 32}), [[1]])
    assert caught.value.code == Exit.MISMATCH


@pytest.mark.parametrize(
    ("prompts", "shared"),
    [
        ([[1] * 9 + [2], [1] * 9 + [3, 4]], [1] * 9),
        ([[1] * 9, [1] * 12], [1] * 8),  # the last token of a prompt is never shared
        ([[1] * 8, [1] * 12], []),
        ([[1] * 7 + [2], [1] * 7 + [3]], []),  # too short to be worth it
        ([[1] * 20], []),
        ([[1] * 20, [1] * 20], []),  # one prompt, read once anyway
    ],
)
def test_the_common_start(prompts, shared):
    assert common_start(prompts) == shared


def test_groups_hold_like_lengths_within_the_bound(monkeypatch):
    monkeypatch.setattr(running, "_GROUP", 10)
    prompts = [(0,) * length for length in (30, 9, 5, 5, 4, 3, 3, 2)]
    assert [[len(p) for p in group] for group in groups(prompts, 0)] == [
        [30],
        [9],
        [5, 5],
        [4, 3],
        [3, 2],
    ]
    assert [[len(p) for p in group] for group in groups(prompts, 2)] == [
        [30],
        [9],
        [5, 5, 4],
        [3, 3, 2],
    ]


def test_what_all_prompts_share_is_read_once():
    model = build("llama", {})
    read = []
    model.register_forward_pre_hook(
        lambda module, args, given: read.append(given["input_ids"].numel()), with_kwargs=True
    )
    asked = [[*range(3, 23), i] for i in range(30, 36)]
    answers(model, asked, 1, batch_size=2)
    assert read == [20, 2, 2, 2]


def test_equal_prompts_are_read_once():
    model = build("llama", {})
    read = []
    model.register_forward_pre_hook(
        lambda module, args, given: read.append(given["input_ids"].numel()), with_kwargs=True
    )
    answers(model, [[5, 6, 7]] * 4, 1, batch_size=4)
    assert read == [3]
