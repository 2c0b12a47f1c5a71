"""Learned keys and values before every text, in every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._options import at_least
from instructune.methods._virtual import with_tokens

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = False
PAPER = "Li & Liang 2021, arXiv 2101.00190"


@dataclass(frozen=True)
class Options:
    """Number of virtual tokens; `projection` learns them by a network of `hidden` units.

    The network is needed while training alone: the keys and values that it gives are saved.
    """

    virtual_tokens: int = 20
    projection: bool = False
    hidden: int = 128

    def __post_init__(self) -> None:
        at_least("prefix", 1, virtual_tokens=self.virtual_tokens, hidden=self.hidden)


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and put learned keys and values before those of the text."""
    from peft import PrefixTuningConfig

    return with_tokens(
        model,
        "prefix",
        PrefixTuningConfig,
        num_virtual_tokens=options.virtual_tokens,
        prefix_projection=options.projection,
        encoder_hidden_size=options.hidden,
    )
