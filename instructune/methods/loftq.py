"""QLoRA that begins with what quantisation took from the weights; needs the extra `quant`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import plain_targets
from instructune.methods._options import LowRank
from instructune.methods._peft import wrapped
from instructune.methods._quantized import check_bits, quantize

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Li et al. 2023, arXiv 2310.08659"


@dataclass(frozen=True)
class Options(LowRank):
    """Bits of the frozen layers, and LoRA's options."""

    METHOD = "loftq"

    bits: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bits("loftq", self.bits)


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Quantise all linear layers but the head, and add the best updates of that rank.

    One round of the paper's alternation: with more, the quantised weights would no longer be
    those of the original model, and the adapter could not be put on it again. Merging is as in
    QLoRA: exact in 4 bits, approximate in 8.
    """
    import torch
    from peft import LoraConfig

    from instructune.quantization import dequantized

    modules = plain_targets(model, options.target_modules, "loftq")
    before = {n: m.weight for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    before = {name: weight.detach().float() for name, weight in before.items()}
    packed = quantize(model, "loftq", options.bits)
    adapted = wrapped(model, "loftq", LoraConfig, target_modules=modules, **options.lora())
    for name, layer in model.named_modules():
        if hasattr(layer, "lora_A") and name in packed:
            lost = before[name] - dequantized(layer.base_layer)
            a, b = _factors(lost, options.rank, options.alpha / options.rank)
            layer.lora_A["default"].weight.data.copy_(a)
            layer.lora_B["default"].weight.data.copy_(b)
    return adapted


def _factors(matrix: torch.Tensor, rank: int, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A (rank, in) and B (out, rank) whose product, scaled, is nearest to the matrix."""
    import torch

    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    roots = torch.zeros(rank).to(values)
    kept = min(rank, len(values))
    roots[:kept] = (values[:kept] / scale).sqrt()
    a = torch.zeros(rank, matrix.shape[1]).to(matrix)
    b = torch.zeros(matrix.shape[0], rank).to(matrix)
    a[:kept] = right[:kept] * roots[:kept, None]
    b[:, :kept] = left[:, :kept] * roots[:kept]
    return a, b
