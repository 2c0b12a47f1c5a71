"""Adam's rates from sums of rows and columns alone, in proportion to each tensor's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructune.errors import usage
from instructune.optimizers._ranges import check

if TYPE_CHECKING:
    import torch

PAPER = "Shazeer & Stern 2018, arXiv 1804.04235"
RATE = 50.0  # of a tensor's size, of which 0.02 is usual: 1e-3 for 2e-5
STATE_BYTES = 0


@dataclass(frozen=True)
class Options:
    """How memory grows (`t ** beta2_decay` is what is new at step t), and its bounds.

    `clip` is the largest root mean square of an update, `least_size` that of a tensor taken
    for its size.
    """

    beta2_decay: float = -0.8
    clip: float = 1.0
    least_size: float = 1e-3

    def __post_init__(self) -> None:
        check("adafactor", self, positive="least_size")
        if not self.clip >= 1:
            raise usage("optimizer 'adafactor': clip must be at least 1")
        if not self.beta2_decay <= 0:
            raise usage("optimizer 'adafactor': beta2_decay must be at most 0")


def build(groups: list[dict[str, Any]], options: Options) -> torch.optim.Optimizer:
    """torch's, without memory of gradients."""
    import torch

    return torch.optim.Adafactor(
        groups,
        beta2_decay=options.beta2_decay,
        d=options.clip,
        eps=(None, options.least_size),
    )
