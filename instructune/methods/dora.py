"""LoRA that learns the lengths of a weight's rows apart from their directions."""

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
PAPER = "Liu et al. 2024, arXiv 2402.09353"


@dataclass(frozen=True)
class Options(LowRank):
    """Rank and scale (`alpha / rank`) of the directions' update, its dropout, and where it goes."""

    METHOD = "dora"


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and add an update and lengths to all linear layers but the head."""
    from peft import LoraConfig

    modules = targets(model, options.target_modules, "dora")
    settings = options.lora() | {"use_dora": True}
    return wrapped(model, "dora", LoraConfig, target_modules=modules, **settings)
