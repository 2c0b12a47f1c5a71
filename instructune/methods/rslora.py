"""LoRA whose updates are divided by the root of the rank, so that high ranks learn too."""

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
PAPER = "Kalajdzievski 2023, arXiv 2312.03732"


@dataclass(frozen=True)
class Options(LowRank):
    """Rank and scale (`alpha / sqrt(rank)`) of the update, its dropout, and where it goes."""

    METHOD = "rslora"


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and add an update to all linear layers but the head."""
    from peft import LoraConfig

    modules = targets(model, options.target_modules, "rslora")
    settings = options.lora() | {"use_rslora": True}
    return wrapped(model, "rslora", LoraConfig, target_modules=modules, **settings)
