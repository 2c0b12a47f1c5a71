"""AdamW whose memory is held in 8 bits, by bitsandbytes (extra `quant`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructune.extras import extra
from instructune.optimizers._ranges import check

if TYPE_CHECKING:
    import torch

PAPER = "Dettmers et al. 2021, arXiv 2110.02861"
RATE = 1.0
STATE_BYTES = 2


@dataclass(frozen=True)
class Options:
    """As of `adamw`; tensors of less than `min_size` values are remembered in float32."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    min_size: int = 4096

    def __post_init__(self) -> None:
        check("adamw8bit", self, shares="beta1 beta2", positive="eps min_size")


def build(groups: list[dict[str, Any]], options: Options) -> torch.optim.Optimizer:
    """Raises UserError (69) where bitsandbytes is not installed."""
    library = extra("bitsandbytes", "quant", "--optimizer adamw8bit")
    found: torch.optim.Optimizer = library.optim.AdamW8bit(
        groups,
        betas=(options.beta1, options.beta2),
        eps=options.eps,
        min_8bit_size=options.min_size,
    )
    return found
