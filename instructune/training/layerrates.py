"""Smaller learning rates for lower layers: the share of the rate that each parameter takes."""

from __future__ import annotations

from typing import Any

import torch

from instructune.errors import Exit, UserError
from instructune.training.stacks import stacks


def rate_shares(model: Any, factor: float) -> dict[str, float]:
    """By names of trainable parameters: `factor ** depth` below the top layer.

    The top layer and all above it, such as a head, have depth 0, each layer below one more,
    embeddings one more than the lowest layer (Clark et al. 2020, arXiv 2003.10555, whose top
    layer has depth 2). Encoder and decoder count from their own tops. Raises UserError (78)
    where that makes no difference.
    """
    layers_of = {name: len(stack) for name, stack in stacks(model).items()}
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    tables = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    values = dict(model.named_parameters())
    deepest = max(layers_of.values(), default=0)

    def depth(name: str) -> int:
        for stack, layers in layers_of.items():
            if name.startswith(f"{stack}."):
                number = name[len(stack) + 1 :].partition(".")[0]
                return layers - 1 - int(number)
        return deepest if "embed" in name or id(values[name]) in tables else 0

    depths = {name: depth(name) for name in names}
    if len(set(depths.values())) < 2:
        raise UserError(
            "all that is trained lies in one layer", where="--layer-decay", code=Exit.MISMATCH
        )
    return {name: factor**n for name, n in depths.items()}
