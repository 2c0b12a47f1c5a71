"""Low-rank updates beside frozen linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import targets
from instructune.methods._options import LowRank
from instructune.methods._peft import wrapped

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Hu et al. 2021, arXiv 2106.09685"


@dataclass(frozen=True)
class Options(LowRank):
    """Rank and scale (`alpha / rank`) of the update, its dropout, and where it goes."""

    METHOD = "lora"


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and add an update to all linear layers but the head.

    `target_modules` names others by the ends of their names. Adapter weights are float32.
    """
    from peft import LoraConfig

    modules = targets(model, options.target_modules, "lora")
    return wrapped(model, "lora", LoraConfig, target_modules=modules, **options.lora())
