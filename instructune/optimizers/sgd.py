"""Stochastic gradient descent with momentum: one rate for all parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructune.errors import usage
from instructune.optimizers._ranges import check

if TYPE_CHECKING:
    import torch

PAPER = "Sutskever et al. 2013, PMLR 28(3):1139-1147"
RATE = 100.0  # a gradient's values are small, and nothing here divides by their size
STATE_BYTES = 4


@dataclass(frozen=True)
class Options:
    """Memory of gradients, and whether they are taken from where it leads (Nesterov's way).

    Weight decay is added to the gradient, so momentum remembers it.
    """

    momentum: float = 0.9
    nesterov: bool = False

    def __post_init__(self) -> None:
        check("sgd", self, shares="momentum")
        if self.nesterov and not self.momentum:
            raise usage("optimizer 'sgd': nesterov needs momentum")


def build(groups: list[dict[str, Any]], options: Options) -> torch.optim.Optimizer:
    """torch's."""
    import torch

    return torch.optim.SGD(groups, momentum=options.momentum, nesterov=options.nesterov)
