"""Adam with decoupled weight decay: a rate of its own for each parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructune.optimizers._ranges import check

if TYPE_CHECKING:
    import torch

PAPER = "Loshchilov & Hutter 2017, arXiv 1711.05101"
RATE = 1.0
STATE_BYTES = 8


@dataclass(frozen=True)
class Options:
    """Memory of gradients (`beta1`) and of their squares (`beta2`), and the least divisor."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check("adamw", self, shares="beta1 beta2", positive="eps")


def build(groups: list[dict[str, Any]], options: Options) -> torch.optim.Optimizer:
    """torch's, all parameters in one kernel."""
    import torch

    betas = options.beta1, options.beta2
    return torch.optim.AdamW(groups, betas=betas, eps=options.eps, fused=True)
