"""Linear layers in 4 or 8 bits by bitsandbytes, and the file beside an adapter that says so."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from instructune import extras
from instructune.errors import Exit, UserError
from instructune.jsonl import load_document, pretty

FILE = "quantization.json"
_PLACE = "quantization"


def library(where: str) -> Any:
    """bitsandbytes; raises 69 where it is not installed."""
    found = extras.extra("bitsandbytes", "quant", where)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it tells of each cast, each time
    return found


def quantize(model: Any, names: Iterable[str], bits: int, where: str) -> None:
    """Put 4-bit (NF4, Dettmers et al. 2023, arXiv 2305.14314) or 8-bit layers for these.

    Raises UserError (69) where the library, or a kernel for the model's device, is not there.
    """
    bnb = library(where)
    names = list(names)
    for name in names:
        layer = model.get_submodule(name)
        _replace(model, name, _quantized(bnb, layer, bits))
    _check_kernels(model.get_submodule(names[0]), model, where)
    setattr(model, f"is_loaded_in_{bits}bit", True)  # by which peft knows
    others = {n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)} - set(names)
    # the form of transformers' BitsAndBytesConfig, by which others load the same
    setattr(
        model,
        _PLACE,
        {
            "quant_method": "bitsandbytes",
            f"load_in_{bits}bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": str(model.dtype).removeprefix("torch."),
            "llm_int8_skip_modules": sorted(others),
        },
    )


def _quantized(bnb: Any, layer: torch.nn.Linear, bits: int) -> Any:
    weight, sizes = layer.weight.detach(), (layer.in_features, layer.out_features)
    bias = layer.bias is not None
    if bits == 4:
        kinds = {"compute_dtype": weight.dtype, "quant_type": "nf4", "compress_statistics": True}
        found = bnb.nn.Linear4bit(*sizes, bias=bias, **kinds)
        found.weight = bnb.nn.Params4bit(
            weight.cpu().clone(), requires_grad=False, quant_type="nf4", compress_statistics=True
        )
    else:
        found = bnb.nn.Linear8bitLt(*sizes, bias=bias, has_fp16_weights=False)
        found.weight = bnb.nn.Int8Params(
            weight.cpu().clone(), requires_grad=False, has_fp16_weights=False
        )
    if bias:
        found.bias = torch.nn.Parameter(layer.bias.detach(), requires_grad=False)
    return found.to(weight.device)  # packed on the way


def _replace(model: Any, name: str, layer: torch.nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, layer)


def _check_kernels(layer: Any, model: Any, where: str) -> None:
    """Run one layer, since the library tells of a missing kernel only then."""
    try:
        with torch.no_grad():
            layer(torch.ones(1, layer.in_features, dtype=model.dtype, device=model.device))
    except (RuntimeError, NotImplementedError, AttributeError) as error:
        raise UserError(
            f"bitsandbytes cannot compute on {model.device.type}: {str(error).splitlines()[0]}",
            where=where,
            hint="pip install -U 'instructune[quant]'",
            code=Exit.UNAVAILABLE,
        ) from None


def dequantized(layer: Any) -> torch.Tensor:
    """The numbers that a quantised layer's weights stand for; (out, in) float32."""
    packed = layer.weight
    if getattr(packed, "quant_state", None) is not None:
        import bitsandbytes

        found: torch.Tensor = bitsandbytes.functional.dequantize_4bit(packed, packed.quant_state)
        return found.detach().float()
    largest = packed.SCB if layer.state.SCB is None else layer.state.SCB  # of each row, as 127
    return packed.detach().float() * (largest.float() / 127)[:, None]


def save(model: Any, folder: Path) -> None:
    """Write quantization.json, where the model is quantised."""
    if settings := getattr(model, _PLACE, None):
        (folder / FILE).write_bytes(pretty(settings))


def restore(model: Any, folder: Path, *, plain: bool = False) -> None:
    """Quantise as the file in an adapter's folder says, where there is one.

    `plain` then puts the numbers that they stand for back into layers of torch.
    """
    path = folder / FILE
    if not path.is_file():
        return
    settings = load_document(path.read_bytes(), str(path))
    skipped = set(settings.get("llm_int8_skip_modules") or ())
    layers = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    names = [name for name in layers if name not in skipped]
    quantize(model, names, 4 if settings.get("load_in_4bit") else 8, str(folder))
    if plain:
        for name in names:
            layers[name].weight.data = dequantized(model.get_submodule(name)).to(model.dtype)
            _replace(model, name, layers[name])
        model.is_loaded_in_4bit = model.is_loaded_in_8bit = False
