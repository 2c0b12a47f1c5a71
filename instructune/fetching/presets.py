"""Tiny models with random weights for smoke tests, and their tokenizers of bytes or characters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from instructune import lineage
from instructune.fetching import modelcache
from instructune.fetching.modelcache import Notify
from instructune.jsonl import pretty
from instructune.templating.templates import open_template

PAD, START, END, TEXT_END = "<|pad|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"
CLS, SEP, MASK = "[CLS]", "[SEP]", "[MASK]"
SPECIALS = (PAD, START, END, TEXT_END)  # ids 256 to 259, behind the bytes
ENCODER_SPECIALS = (PAD, CLS, SEP, MASK)  # the same ids
UNKNOWN = "[UNK]"
CHARACTER_SPECIALS = (*ENCODER_SPECIALS, UNKNOWN)  # ids 0 to 4, before the characters
_CHARACTERS = (  # of Chinese and Latin texts, and of what stands between; by code points
    (0x20, 0x7F),
    (0xA0, 0x180),
    (0x2000, 0x2070),
    (0x3000, 0x3100),
    (0x4E00, 0xA000),
    (0xFF00, 0xFFF0),
)
LENGTH = 4096  # tokens, so bytes
_WIDTH, _LAYERS, _HEADS = 64, 2, 4
_IDS = {"pad_token_id": 256, "eos_token_id": 258, "bos_token_id": 259}
_SHARED = {
    "dtype": "float32",
    "vocab_size": 256 + len(SPECIALS),
    "initializer_range": 0.02,
    "tie_word_embeddings": True,
}
_COMMON = _SHARED | _IDS

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
    "tiny-bert": {
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        "hidden_size": _WIDTH,
        "num_hidden_layers": _LAYERS,
        "num_attention_heads": _HEADS,
        "intermediate_size": 4 * _WIDTH,
        "max_position_embeddings": LENGTH,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        **_SHARED,
        "pad_token_id": 256,
    },
    "tiny-t5": {
        "architectures": ["T5ForConditionalGeneration"],
        "model_type": "t5",
        "d_model": _WIDTH,
        "d_kv": _WIDTH // _HEADS,
        "d_ff": 2 * _WIDTH,
        "num_layers": _LAYERS,
        "num_heads": _HEADS,
        "feed_forward_proj": "gated-gelu",
        "dropout_rate": 0.0,
        "initializer_factor": 1.0,
        "is_encoder_decoder": True,
        "decoder_start_token_id": 256,
        **_SHARED,
        "pad_token_id": 256,
        "eos_token_id": 258,
    },
}

CONFIGS["tiny-bert-chars"] = CONFIGS["tiny-bert"] | {
    "vocab_size": len(CHARACTER_SPECIALS) + sum(end - start for start, end in _CHARACTERS),
    "pad_token_id": 0,
}
_ENCODERS = ("tiny-bert", "tiny-bert-chars")


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
    """The preset's files; encoders and T5 read plain texts, so they have no chat template."""
    is_encoder, is_chat = name in _ENCODERS, name not in (*_ENCODERS, "tiny-t5")
    tokenizer_config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": LENGTH,
        "clean_up_tokenization_spaces": False,
        "pad_token": PAD,
    }
    if is_encoder:
        tokenizer_config |= {"cls_token": CLS, "sep_token": SEP, "mask_token": MASK}
    else:
        tokenizer_config |= {"bos_token": TEXT_END, "eos_token": END}
    frame = None if is_chat else f"{CLS} $A {SEP}" if is_encoder else f"$A {END}"
    if name == "tiny-bert-chars":
        tokenizer_config["unk_token"] = UNKNOWN
        tokenizer = character_tokenizer(f"{CLS} $A {SEP}")
    else:
        tokenizer = byte_tokenizer(ENCODER_SPECIALS if is_encoder else SPECIALS, frame)
    found = {
        "config.json": pretty(CONFIGS[name]),
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": pretty(tokenizer_config),
    }
    if not is_encoder:
        ids = _IDS if is_chat else {k: CONFIGS[name][k] for k in _T5_IDS}
        found["generation_config.json"] = pretty(ids)
    if is_chat:
        found["chat_template.jinja"] = open_template("chatml").encode()
    return found


_T5_IDS = ("pad_token_id", "eos_token_id", "decoder_start_token_id")


def byte_tokenizer(specials: Sequence[str] = SPECIALS, frame: str | None = None) -> bytes:
    """tokenizer.json of a tokenizer in which the id of a byte is the byte.

    `frame` is what it puts around a text, such as `[CLS] $A [SEP]`.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    vocab = {_letter(byte): byte for byte in range(256)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return _framing(tokenizer, specials, frame)


def character_tokenizer(frame: str) -> bytes:
    """tokenizer.json of a tokenizer whose tokens are characters, as those for Chinese have them.

    Characters out of `_CHARACTERS` are all one, `[UNK]`; `frame` as in `byte_tokenizer`.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    characters = [chr(point) for start, end in _CHARACTERS for point in range(start, end)]
    vocab = {token: i for i, token in enumerate((*CHARACTER_SPECIALS, *characters))}
    tokenizer = Tokenizer(models.WordLevel(vocab=vocab, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return _framing(tokenizer, CHARACTER_SPECIALS, frame)


def _framing(tokenizer: Any, specials: Sequence[str], frame: str | None) -> bytes:
    """tokenizer.json with the specials, and with what is put around a text."""
    from tokenizers import AddedToken, processors

    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in specials])
    if frame:
        last = frame.split()[-1]
        ids = [(token, tokenizer.token_to_id(token)) for token in specials if token in frame]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=frame, pair=f"{frame} $B:1 {last}:1", special_tokens=ids
        )
    return bytes(tokenizer.to_str(pretty=True).encode())


def _letter(byte: int) -> str:
    """The character that stands for a byte in byte-level vocabularies (Radford et al. 2019).

    Printable Latin-1 stands for itself; the other 68 bytes, in order, for U+0100 and up.
    """
    if byte in _PRINTABLE:
        return chr(byte)
    return chr(256 + [b for b in range(256) if b not in _PRINTABLE].index(byte))


_PRINTABLE = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
