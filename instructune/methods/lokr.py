"""Updates that are the Kronecker product of a small matrix and a low-rank one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import plain_targets
from instructune.methods._options import LowRank, at_least
from instructune.methods._peft import wrapped

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Yeh et al. 2023, arXiv 2309.14859"


@dataclass(frozen=True)
class Options(LowRank):
    """Rank and scale (`alpha / rank`) of the larger matrix, dropout of ranks, and the layers.

    `factor` is the side of the smaller matrix; by default about the root of the layer's.
    """

    METHOD = "lokr"

    factor: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.factor != -1:
            at_least("lokr", 1, factor=self.factor)


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and add a Kronecker product to all linear layers but the head."""
    from peft import LoKrConfig

    return wrapped(
        model,
        "lokr",
        LoKrConfig,
        target_modules=plain_targets(model, options.target_modules, "lokr"),
        r=options.rank,
        alpha=options.alpha,
        rank_dropout=options.dropout,
        decompose_factor=options.factor,
    )
