"""Quantising what a method leaves frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instructune.errors import usage
from instructune.methods._layers import linear_layers, plain_targets

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def check_bits(method: str, bits: int) -> None:
    """Raise a usage error where layers cannot be kept in so many bits."""
    if bits not in (4, 8):
        raise usage(f"method {method!r}: bits must be 4 or 8, got {bits}")


def quantize(model: PreTrainedModel, method: str, bits: int) -> list[str]:
    """Quantise all linear layers but the head, and name them; 69 without the library."""
    from instructune import quantization

    plain_targets(model, (), method)
    # T5 gives a feed-forward layer's inputs the dtype of its weights, so these must not be packed
    wide = {name.rpartition(".")[2] for name in getattr(model, "_keep_in_fp32_modules", None) or ()}
    names = [n for n in linear_layers(model) if n.rpartition(".")[2] not in wide]
    quantization.quantize(model, names, bits, f"--method {method}")
    return names
