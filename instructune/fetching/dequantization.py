"""A GGUF file -> a plain Hugging Face folder: safetensors, tokenizer, chat template."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
import transformers.modeling_gguf_pytorch_utils as gguf_loader
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedModel
from transformers.integrations.gguf import gguf_tokenizer_mapping

from instructune.errors import Exit, UserError
from instructune.fetching.ggufs import Head, read_head
from instructune.jsonl import load_document, pretty
from instructune.libraries import quiet
from instructune.models import save_model

_TYPES = gguf.GGMLQuantizationType
_STORED = {_TYPES.F32: torch.float32, _TYPES.BF16: torch.bfloat16}  # all others: float16
# llama.cpp cuts digits off one by one, then splits as GPT-2 does; transformers' reader knows only
# the second half for these, which turns two blanks before a digit into other tokens.
_DIGITS_APART = {"codeshell", "command-r", "exaone", "minerva-7b", "refact", "smollm", "starcoder"}
_LIKE_GPT2 = {None, "gpt-2", "jais", "mpt", "olmo", "phi-2"}
_SPECIAL = {
    "bos_token": "tokenizer.ggml.bos_token_id",
    "eos_token": "tokenizer.ggml.eos_token_id",
    "unk_token": "tokenizer.ggml.unknown_token_id",
    "pad_token": "tokenizer.ggml.padding_token_id",
}
_ENDS = ("eos_token_id", "eot_token_id", "eom_token_id")


def convert(path: Path, folder: Path) -> None:
    """Write the model in `path` to `folder`, dequantised.

    Weights are stored as the file's largest tensor is if that is float32 or bfloat16, else as
    float16, which rounds a dequantised value by at most 1 part in 2048 (it moves the logits of
    SmolLM2-135M Q4_1 by up to 0.05; bfloat16 would move them by 0.28).
    """
    head = read_head(path)
    with quiet(), _naming_failures(path), _read_once():
        _check_positions(head)
        _check_tokenizer(head)
        model = _dequantised(path)
        _check_values(head, model)
        save_model(model, folder, _dtype(head, model))
        del model
        _save_tokenizer(head, path, folder)
    _write_generation_config(head, folder)


def _dequantised(path: Path) -> PreTrainedModel:
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        path.parent,
        gguf_file=path.name,
        dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True),
        output_loading_info=True,
        local_files_only=True,
    )
    model, info = loaded
    if missing := sorted(info["missing_keys"]):
        raise ValueError(f"it lacks {len(missing)} of the model's tensors, {missing[0]} first")
    vars(model.config).pop("_model_name_or_path", None)  # a title, but not a path
    return model


class _Reader(gguf.GGUFReader):
    """gguf's reader on a plain array: slicing numpy's memmap subclass takes twice the time."""

    @property
    def data(self) -> Any:
        return self._data

    @data.setter
    def data(self, mapped: np.ndarray) -> None:
        self._data = np.asarray(mapped)


@contextmanager
def _read_once() -> Iterator[None]:
    """Make transformers parse the file once, not three times, and map its names once, not once a
    module: a third of the time. Its progress bar is silenced on the way.
    """
    bar = gguf_loader.tqdm
    with ExitStack() as stack:
        for module, name, replacement in (
            (gguf, "GGUFReader", functools.cache(_Reader)),
            (gguf, "get_tensor_name_map", functools.cache(gguf.get_tensor_name_map)),
            (gguf_loader, "tqdm", functools.partial(bar, disable=True)),
        ):
            stack.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, replacement)
        yield


def _dtype(head: Head, model: PreTrainedModel) -> torch.dtype:
    largest = max(head.tensors.values(), key=lambda tensor: tensor.size)
    dtype = _STORED.get(_TYPES(largest.kind), torch.float16)
    limit = torch.finfo(dtype).max
    fits = all(bool(p.abs().max() <= limit) for p in model.parameters() if p.numel())
    return dtype if fits else torch.float32


def _check_values(head: Head, model: PreTrainedModel) -> None:
    """Refuse a file with values for which transformers knew no place: it drops them silently."""
    tensors = {tensor.data_ptr(): tensor.numel() for tensor in model.state_dict().values()}
    placed, held = sum(tensors.values()), sum(tensor.elements for tensor in head.tensors.values())
    if placed != held:
        raise ValueError(f"it holds {held} values, a {model.config.model_type} model {placed}")


def _check_positions(head: Head) -> None:
    """Refuse scaled positions, which transformers' reader passes over (but for gpt-oss)."""
    architecture = head.metadata.get("general.architecture")
    scaling = head.metadata.get(f"{architecture}.rope.scaling.type", "none")
    lost = [name for name in head.tensors if name.startswith(("rope_freqs", "rope_factors"))]
    if architecture != "gpt-oss" and (lost or scaling != "none"):
        raise ValueError(f"it scales its positions ({lost[0] if lost else scaling})")


def _check_tokenizer(head: Head) -> None:
    """Refuse texts to be split in a way unknown here: the ids would be silently wrong."""
    pre = head.metadata.get("tokenizer.ggml.pre")
    known = _LIKE_GPT2 | _DIGITS_APART | set(gguf_tokenizer_mapping.GGUF_PRE_TOKENIZER_SPLITS)
    if head.metadata.get("tokenizer.ggml.model") == "gpt2" and pre not in known:
        raise ValueError(f"its tokenizer splits texts by unknown rules called {pre!r}")


def _save_tokenizer(head: Head, path: Path, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(
        path.parent, gguf_file=path.name, local_files_only=True
    )
    tokenizer.save_pretrained(folder)
    size = len(head.metadata["tokenizer.ggml.tokens"])
    with _edited(folder / "tokenizer.json") as document:
        # its class adds an unknown token of its own where the file has none: no row of the
        # embedding is meant for that
        document["added_tokens"] = [t for t in document["added_tokens"] if t["id"] < size]
        if head.metadata.get("tokenizer.ggml.pre") in _DIGITS_APART:
            document["pre_tokenizer"] = {
                "type": "Sequence",
                "pretokenizers": [
                    {"type": "Digits", "individual_digits": True},
                    document["pre_tokenizer"],
                ],
            }
    with _edited(folder / "tokenizer_config.json") as config:
        _correct_config(head, config)
    if template := head.metadata.get("tokenizer.chat_template"):
        (folder / "chat_template.jinja").write_bytes(template.encode())


@contextmanager
def _edited(path: Path) -> Iterator[dict[str, Any]]:
    document = load_document(path.read_bytes(), str(path))
    yield document
    path.write_bytes(pretty(document))


def _correct_config(head: Head, config: dict[str, Any]) -> None:
    """Named tokens as the file has them, and no others; the length it was trained on."""
    tokens = head.metadata["tokenizer.ggml.tokens"]
    for name in ("backend", "is_local", "local_files_only", "extra_special_tokens", *_SPECIAL):
        config.pop(name, None)
    config |= {k: tokens[head.metadata[key]] for k, key in _SPECIAL.items() if key in head.metadata}
    config["tokenizer_class"] = "PreTrainedTokenizerFast"  # known to every version of transformers
    length = f"{head.metadata['general.architecture']}.context_length"
    if length in head.metadata:
        config["model_max_length"] = head.metadata[length]


def _write_generation_config(head: Head, folder: Path) -> None:
    """The ids at which answers end: end of text, of turn, of message, where the file names them."""
    found = [head.metadata.get(f"tokenizer.ggml.{name}") for name in _ENDS]
    ends = list(dict.fromkeys(i for i in found if i is not None))
    config = {
        "bos_token_id": head.metadata.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": ends if len(ends) > 1 else next(iter(ends), None),
        "pad_token_id": head.metadata.get("tokenizer.ggml.padding_token_id"),
    }
    (folder / "generation_config.json").write_bytes(
        pretty({name: value for name, value in config.items() if value is not None})
    )


@contextmanager
def _naming_failures(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, LookupError, NotImplementedError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"this GGUF file cannot be converted: {reason}",
            where=str(path),
            hint="use the model's original folder or Hub id",
            code=Exit.MISMATCH,
        ) from None
