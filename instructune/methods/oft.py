"""Rotations of the weights, block by block, that keep their lengths and angles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import plain_targets
from instructune.methods._options import at_least
from instructune.methods._peft import wrapped

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Qiu et al. 2023, arXiv 2306.07280"


@dataclass(frozen=True)
class Options:
    """Side of the blocks, and the layers by the ends of their names.

    A block size that does not divide a layer's inputs becomes the nearest that does.
    """

    block_size: int = 32
    target_modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at_least("oft", 2, block_size=self.block_size)


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and rotate the inputs of all linear layers but the head."""
    from peft import OFTConfig

    return wrapped(
        model,
        "oft",
        OFTConfig,
        target_modules=plain_targets(model, options.target_modules, "oft"),
        oft_block_size=options.block_size,
    )
