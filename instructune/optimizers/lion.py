"""Steps of one size for all parameters: the sign of a remembered gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructune.optimizers._ranges import check

if TYPE_CHECKING:
    import torch

PAPER = "Chen et al. 2023, arXiv 2302.06675"
RATE = 0.2  # a sign is larger than Adam's usual step: the paper takes 3 to 10 times less
STATE_BYTES = 4


@dataclass(frozen=True)
class Options:
    """How much the memory counts in the step (`beta1`), and how long it lasts (`beta2`)."""

    beta1: float = 0.9
    beta2: float = 0.99

    def __post_init__(self) -> None:
        check("lion", self, shares="beta1 beta2")


def build(groups: list[dict[str, Any]], options: Options) -> torch.optim.Optimizer:
    """Our own."""
    from instructune.optimizers._lion import Lion

    return Lion(groups, options.beta1, options.beta2)
