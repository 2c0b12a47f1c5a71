"""LoRA that begins as a part of the weights, in orthonormal directions by a QR decomposition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import plain_targets
from instructune.methods._options import LowRank
from instructune.methods._peft import wrapped
from instructune.methods._residual import Residual

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Büyükakyüz 2024, arXiv 2406.01775"


@dataclass(frozen=True)
class Options(LowRank):
    """Rank and scale (`alpha / rank`) of what is trained, its dropout, and where it is."""

    METHOD = "olora"

    alpha: int = 16


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Take the first `rank` columns of Q and rows of R out of each layer, to be trained."""
    from peft import LoraConfig

    modules = plain_targets(model, options.target_modules, "olora")
    settings = options.lora() | {"init_lora_weights": "olora"}
    return wrapped(model, "olora", LoraConfig, target_modules=modules, **settings)


def during(model: PeftModel, options: Options, steps: int) -> Residual:
    """Keep what was taken out of the weights, for the saving."""
    return Residual(model)
