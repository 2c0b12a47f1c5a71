"""Updates that are the elementwise product of two low-rank matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import plain_targets
from instructune.methods._options import LowRank
from instructune.methods._peft import wrapped

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Hyeon-Woo et al. 2021, arXiv 2108.06098"


@dataclass(frozen=True)
class Options(LowRank):
    """Rank and scale (`alpha / rank`) of the two products, dropout of ranks, and the layers."""

    METHOD = "loha"


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and add an update to all linear layers but the head."""
    from peft import LoHaConfig

    return wrapped(
        model,
        "loha",
        LoHaConfig,
        target_modules=plain_targets(model, options.target_modules, "loha"),
        r=options.rank,
        alpha=options.alpha,
        rank_dropout=options.dropout,
    )
