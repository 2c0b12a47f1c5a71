"""Tiny models with random weights for smoke tests, and their byte-level tokenizer."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from instructune import lineage
from instructune.fetching import modelcache
from instructune.fetching.modelcache import Notify
from instructune.jsonl import pretty
from instructune.templating.templates import open_template

PAD, START, END, TEXT_END = "<|pad|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"
SPECIALS = (PAD, START, END, TEXT_END)  # ids 256 to 259, behind the bytes
LENGTH = 4096  # tokens, so bytes
_WIDTH, _LAYERS, _HEADS = 64, 2, 4
_IDS = {"pad_token_id": 256, "eos_token_id": 258, "bos_token_id": 259}
_COMMON = {
    "dtype": "float32",
    "vocab_size": 256 + len(SPECIALS),
    "initializer_range": 0.02,
    "tie_word_embeddings": True,
    **_IDS,
}

CONFIGS: dict[str, dict[str, Any]] = {
    "tiny-llama": {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": _WIDTH,
        "num_hidden_layers": _LAYERS,
        "num_attention_heads": _HEADS,
        "num_key_value_heads": 2,
        "intermediate_size": 176,
        "max_position_embeddings": LENGTH,
        "rms_norm_eps": 1e-5,
        **_COMMON,
    },
    "tiny-gpt2": {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_embd": _WIDTH,
        "n_layer": _LAYERS,
        "n_head": _HEADS,
        "n_positions": LENGTH,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "attn_pdrop": 0.0,
        **_COMMON,
    },
}


def fingerprint(name: str) -> str:
    """16 hex digits of the preset's config."""
    return lineage.fingerprint(CONFIGS[name])


def preset_folder(name: str, notify: Notify) -> Path:
    """A folder with config, tokenizer and chat template but no weights."""
    contents = _contents(name)
    key = hashlib.sha256(b"".join(contents[file] for file in sorted(contents))).hexdigest()

    def write(folder: Path) -> None:
        for file, data in contents.items():
            (folder / file).write_bytes(data)

    return modelcache.entry(key, write, notify)


def _contents(name: str) -> dict[str, bytes]:
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": LENGTH,
        "clean_up_tokenization_spaces": False,
        "bos_token": TEXT_END,
        "eos_token": END,
        "pad_token": PAD,
    }
    return {
        "config.json": pretty(CONFIGS[name]),
        "generation_config.json": pretty(_IDS),
        "tokenizer.json": byte_tokenizer(),
        "tokenizer_config.json": pretty(tokenizer_config),
        "chat_template.jinja": open_template("chatml").encode(),
    }


def byte_tokenizer() -> bytes:
    """tokenizer.json of a tokenizer in which the id of a byte is the byte."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    vocab = {_letter(byte): byte for byte in range(256)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIALS])
    return tokenizer.to_str(pretty=True).encode()


def _letter(byte: int) -> str:
    """The character that stands for a byte in byte-level vocabularies (Radford et al. 2019).

    Printable Latin-1 stands for itself; the other 68 bytes, in order, for U+0100 and up.
    """
    if byte in _PRINTABLE:
        return chr(byte)
    return chr(256 + [b for b in range(256) if b not in _PRINTABLE].index(byte))


_PRINTABLE = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
