"""Learned scales of random matrices that all layers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import targets
from instructune.methods._options import at_least, positive, shares
from instructune.methods._peft import wrapped

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Kopiczko et al. 2023, arXiv 2310.11454"


@dataclass(frozen=True)
class Options:
    """Rank of the random matrices, what the scales begin with, dropout, and the layers.

    `key` is the seed of the matrices, which are saved too.
    """

    rank: int = 256
    initial: float = 0.1
    dropout: float = 0.0
    key: int = 0
    target_modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at_least("vera", 1, rank=self.rank)
        at_least("vera", 0, key=self.key)
        positive("vera", initial=self.initial)
        shares("vera", dropout=self.dropout)


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and add two learned vectors to all linear layers but the head."""
    from peft import VeraConfig

    return wrapped(
        model,
        "vera",
        VeraConfig,
        target_modules=targets(model, options.target_modules, "vera"),
        r=options.rank,
        d_initial=options.initial,
        vera_dropout=options.dropout,
        projection_prng_key=options.key,
    )
