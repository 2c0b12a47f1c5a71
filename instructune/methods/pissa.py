"""LoRA that begins as the largest singular values of the weights and trains these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import targets
from instructune.methods._options import LowRank, at_least
from instructune.methods._peft import wrapped
from instructune.methods._residual import Residual

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Meng et al. 2024, arXiv 2404.02948"


@dataclass(frozen=True)
class Options(LowRank):
    """LoRA's options, and `iterations` of a fast approximate decomposition; 0 is the exact one."""

    METHOD = "pissa"

    alpha: int = 16
    iterations: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("pissa", 0, iterations=self.iterations)


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Take the first `rank` singular values out of each layer, to be trained beside the rest."""
    from peft import LoraConfig

    modules = targets(model, options.target_modules, "pissa")
    first = f"pissa_niter_{options.iterations}" if options.iterations else "pissa"
    settings = options.lora() | {"init_lora_weights": first}
    return wrapped(model, "pissa", LoraConfig, target_modules=modules, **settings)


def during(model: PeftModel, options: Options, steps: int) -> Residual:
    """Keep what was taken out of the weights, for the saving."""
    return Residual(model)
