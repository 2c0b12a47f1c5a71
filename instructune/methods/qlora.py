"""LoRA beside a model whose layers are kept in 4 or 8 bits; needs the extra `quant`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import plain_targets
from instructune.methods._options import LowRank
from instructune.methods._peft import wrapped
from instructune.methods._quantized import check_bits, quantize

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Dettmers et al. 2023, arXiv 2305.14314"


@dataclass(frozen=True)
class Options(LowRank):
    """Bits of the frozen layers, and LoRA's options."""

    METHOD = "qlora"

    bits: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bits("qlora", self.bits)


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Quantise all linear layers but the head, and add updates to them.

    It is merged into the numbers that the quantised weights stand for; those of 8 bits are
    multiplied by quantised inputs, which a merged model does not do.
    """
    from peft import LoraConfig

    modules = plain_targets(model, options.target_modules, "qlora")
    quantize(model, "qlora", options.bits)
    return wrapped(model, "qlora", LoraConfig, target_modules=modules, **options.lora())
