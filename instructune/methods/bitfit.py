"""Only the biases are trained, and the head of a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instructune.methods._layers import heads, unfit

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ADAPTER = False
MERGES = False
PAPER = "Ben Zaken et al. 2021, arXiv 2106.10199"


def apply(model: PreTrainedModel, options: None) -> PreTrainedModel:
    """Freeze the model but for its biases, those of norms among them; raises 78 without any."""
    model.requires_grad_(False)
    above = tuple(f"{name}." for name in heads(model))
    biases = [p for n, p in model.named_parameters() if n.endswith("bias")]
    if not any(p.ndim == 1 for p in biases):
        raise unfit("bitfit", model, "no layer has a bias")
    for name, parameter in model.named_parameters():
        is_bias = name.endswith("bias") and parameter.ndim == 1
        parameter.requires_grad_(is_bias or name.startswith(above or "\0"))
    return model
