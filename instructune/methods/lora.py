"""Low-rank updates beside frozen linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Hu et al. 2021, arXiv 2106.09685"


@dataclass(frozen=True)
class Options:
    """Rank and scale (`alpha / rank`) of the update, its dropout, and where it goes."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: tuple[str, ...] = ()


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and add an update to all linear layers but the output layer.

    `target_modules` names others by the ends of their names. Adapter weights are float32.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=list(options.target_modules) or "all-linear",
    )
    return get_peft_model(model, config)
