"""GGUF files written here from models made here, converted back and compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from tokenizers import Tokenizer as Backend
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)

from instructune.errors import Exit, UserError
from instructune.fetching import presets
from instructune.fetching.dequantization import convert
from instructune.fetching.modelfiles import resolve
from instructune.libraries import quiet
from instructune.models import load_model
from instructune.tokenizer import Tokenizer

KINDS = gguf.GGMLQuantizationType
MERGES = ["Ġ Ġ", "h e", "l l", "he ll", "hell o", "Ġ hello"]
TOKENS = [
    *(presets._letter(byte) for byte in range(256)),
    *(merge.replace(" ", "") for merge in MERGES),
    "<|im_start|>",
    "<|im_end|>",
    "<|eot|>",
]
START, END, TURN = len(TOKENS) - 3, len(TOKENS) - 2, len(TOKENS) - 1
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>\n{% endfor %}"
NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def llama(tied: bool = True) -> PreTrainedModel:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(TOKENS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        rope_parameters={"rope_type": "default", "rope_theta": 50_000.0},
        rms_norm_eps=1e-5,
        tie_word_embeddings=tied,
    )
    return LlamaForCausalLM(config).eval()


def gguf_name(name: str) -> str | None:
    """The name llama.cpp gives a tensor of a Hugging Face Llama."""
    flat = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    stem = name.removesuffix(".weight")
    if stem in flat:
        return flat[stem] + ".weight"
    _, _, layer, rest = stem.split(".", 3)
    return f"blk.{layer}.{NAMES[rest]}.weight"


def rotated(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """llama.cpp keeps the two halves of each rotary pair side by side."""
    rows, columns = weight.shape
    pairs = weight.reshape(heads, 2, rows // heads // 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def written(
    path: Path,
    model: PreTrainedModel,
    kind: gguf.GGMLQuantizationType = KINDS.F32,
    *,
    tensors: Callable[[dict[str, torch.Tensor]], object] = lambda t: None,
    **metadata: Any,
) -> Path:
    """The model as a GGUF file; matrices as `kind`, vectors as float32."""
    config = model.config
    writer = gguf.GGUFWriter(path, metadata.pop("architecture", "llama"))
    writer.add_name("some model")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(50_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(metadata.pop("pre", "smollm"))
    writer.add_token_list(TOKENS)
    types = [gguf.TokenType.NORMAL] * START + [gguf.TokenType.CONTROL] * 3
    writer.add_token_types(types)
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(START)
    writer.add_eos_token_id(END)
    writer.add_pad_token_id(END)
    writer.add_add_bos_token(False)
    if template := metadata.pop("template", TEMPLATE):
        writer.add_chat_template(template)
    for key, value in metadata.items():
        getattr(writer, key)(value)
    table = {}
    for name, parameter in model.named_parameters():
        weight = parameter.detach()
        if "q_proj" in name:
            weight = rotated(weight, config.num_attention_heads)
        if "k_proj" in name:
            weight = rotated(weight, config.num_key_value_heads)
        table[gguf_name(name)] = weight
    tensors(table)
    for name, weight in table.items():
        used = kind if weight.dim() > 1 else KINDS.F32
        data = gguf.quants.quantize(weight.numpy(), used)
        writer.add_tensor(name, data, raw_dtype=used)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def back(folder: Path) -> PreTrainedModel:
    with quiet():
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.mark.parametrize("tied", [True, False])
def test_a_float32_file_comes_back_exactly(tmp_path: Path, folder: Path, tied: bool) -> None:
    model = llama(tied)
    convert(written(tmp_path / "m.gguf", model), folder)
    config = json.loads((folder / "config.json").read_bytes())
    assert (config["dtype"], config["tie_word_embeddings"]) == ("float32", tied)
    assert config["rope_parameters"]["rope_theta"] == 50_000.0
    assert "_model_name_or_path" not in config
    found = back(folder)
    for name, parameter in model.named_parameters():
        assert torch.equal(found.get_parameter(name), parameter), name
    ids = torch.arange(40)[None]
    assert torch.equal(found(ids).logits, model(ids).logits)


@pytest.mark.parametrize(
    ("kind", "stored", "loss"),
    [
        (KINDS.F16, torch.float16, 0.0),
        (KINDS.BF16, torch.bfloat16, 0.0),
        (KINDS.Q8_0, torch.float16, 2**-11),
        (KINDS.Q4_1, torch.float16, 2**-11),
    ],
    ids=["F16", "BF16", "Q8_0", "Q4_1"],
)
def test_quantised_files_are_rounded_once_to_half(
    tmp_path: Path, folder: Path, kind: KINDS, stored: torch.dtype, loss: float
) -> None:
    model = llama()
    convert(written(tmp_path / "m.gguf", model, kind), folder)
    config = json.loads((folder / "config.json").read_bytes())
    assert config["dtype"] == str(stored).removeprefix("torch.")
    found = back(folder)
    for name, parameter in model.named_parameters():
        weight = parameter.detach()
        if weight.dim() > 1:  # rows of heads are permuted, which no block of values notices
            packed = gguf.quants.quantize(weight.numpy(), kind)
            weight = torch.from_numpy(gguf.quants.dequantize(packed, kind))
        error = (found.get_parameter(name) - weight).abs()
        assert bool((error <= loss * weight.abs() + 2**-25).all()), name


def test_values_too_large_for_half_are_kept_in_full(tmp_path: Path, folder: Path) -> None:
    model = llama()
    with torch.no_grad():
        model.model.norm.weight[0] = 1e6
    convert(written(tmp_path / "m.gguf", model, KINDS.Q8_0), folder)
    assert json.loads((folder / "config.json").read_bytes())["dtype"] == "float32"
    assert back(folder).model.norm.weight[0] == 1e6


def test_tokenizer_template_and_ends_are_those_of_the_file(tmp_path: Path, folder: Path) -> None:
    path = written(tmp_path / "m.gguf", llama(), add_eot_token_id=TURN)
    convert(path, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    named = [getattr(tokenizer, name) for name in ("bos_token", "eos_token", "pad_token")]
    assert named == ["<|im_start|>", "<|im_end|>", "<|im_end|>"]
    assert tokenizer.model_max_length == 128
    assert len(tokenizer) == len(TOKENS)
    assert tokenizer.convert_ids_to_tokens(range(len(TOKENS))) == TOKENS
    assert (folder / "chat_template.jinja").read_text() == TEMPLATE
    rendered = tokenizer.apply_chat_template([{"role": "user", "content": "hello"}], tokenize=False)
    assert rendered == "<|im_start|>hello<|im_end|>\n"
    assert tokenizer.encode(rendered) == [START, TOKENS.index("hello"), END, 10]
    generation = json.loads((folder / "generation_config.json").read_bytes())
    expected = {"bos_token_id": START, "eos_token_id": [END, TURN], "pad_token_id": END}
    assert generation == expected
    ours = Tokenizer(folder)
    assert ours.stop_ids == {END, TURN}
    assert ours.tokens["eos_token"] == "<|im_end|>"
    assert sorted(p.name for p in folder.iterdir()) == [
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


@pytest.mark.parametrize(
    ("pre", "expected"),
    [
        ("smollm", ["ĠĠ", "1", "2", "Ġhello"]),
        ("gpt-2", ["Ġ", "Ġ", "1", "2", "Ġhello"]),
    ],
)
def test_digits_are_cut_off_before_blanks_are_joined(
    tmp_path: Path, folder: Path, pre: str, expected: list[str]
) -> None:
    """As llama.cpp has it: `  12` is two blanks, 1, 2 where digits stand apart."""
    convert(written(tmp_path / "m.gguf", llama(), pre=pre), folder)
    backend = Backend.from_file(str(folder / "tokenizer.json"))
    assert backend.encode("  12 hello").tokens == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tensors": lambda t: t.pop("blk.1.ffn_up.weight")}, "model.layers.1.mlp.up_proj.weight"),
        ({"tensors": lambda t: t.update({"rope_freqs.weight": torch.ones(4)})}, "rope_freqs"),
        (
            {"tensors": lambda t: t.update({"blk.0.extra.weight": torch.ones(4)})},
            "it holds .* values",
        ),
        ({"add_rope_scaling_type": gguf.RopeScalingType.YARN}, "scales its positions .yarn"),
        ({"pre": "rules-of-tomorrow"}, "'rules-of-tomorrow'"),
        ({"architecture": "never_heard_of"}, "never_heard_of"),
    ],
    ids=["missing", "factors", "left over", "yarn", "pre-tokenizer", "architecture"],
)
def test_what_would_be_lost_silently_is_refused(
    tmp_path: Path, folder: Path, change: dict[str, Any], reason: str
) -> None:
    path = written(tmp_path / "m.gguf", llama(), **change)
    with pytest.raises(UserError, match=reason) as caught:
        convert(path, folder)
    assert caught.value.code is Exit.MISMATCH
    assert caught.value.where == str(path)


def test_a_file_is_converted_once_under_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))
    before = gguf.GGUFReader, gguf.get_tensor_name_map
    path = written(tmp_path / "m.gguf", llama(), KINDS.Q8_0)
    told: list[str] = []
    capfd.readouterr()
    files = resolve(str(path), told.append)
    assert told == ["converting GGUF to safetensors, once"]
    assert files.fingerprint == files.folder.name[:16]
    assert load_model(files, dtype=torch.bfloat16).dtype is torch.bfloat16
    moved = path.rename(tmp_path / "elsewhere.bin")
    assert resolve(str(moved), told.append).folder == files.folder
    assert len(told) == 1
    assert capfd.readouterr() == ("", "")
    assert (gguf.GGUFReader, gguf.get_tensor_name_map) == before
