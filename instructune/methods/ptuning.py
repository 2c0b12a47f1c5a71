"""Learned embeddings before every text, given by a small network while they are learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from instructune.errors import usage
from instructune.methods._options import at_least, shares
from instructune.methods._virtual import with_tokens

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = False
PAPER = "Liu et al. 2021, arXiv 2103.10385"


@dataclass(frozen=True)
class Options:
    """Number of virtual tokens, and the network's kind, width, layers and dropout.

    `layers` and `dropout` are the recurrent one's; an `mlp` has two layers and none.
    """

    virtual_tokens: int = 20
    encoder: Literal["mlp", "lstm"] = "mlp"
    hidden: int = 128
    layers: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        numbers = {"virtual_tokens": self.virtual_tokens, "hidden": self.hidden}
        at_least("ptuning", 1, layers=self.layers, **numbers)
        shares("ptuning", dropout=self.dropout)
        of_lstm = (Options.layers, Options.dropout)
        if self.encoder == "mlp" and (self.layers, self.dropout) != of_lstm:
            raise usage("method 'ptuning': layers and dropout need encoder=lstm")


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and put embeddings that a network gives before those of the text."""
    from peft import PromptEncoderConfig

    return with_tokens(
        model,
        "ptuning",
        PromptEncoderConfig,
        num_virtual_tokens=options.virtual_tokens,
        encoder_reparameterization_type=options.encoder.upper(),
        encoder_hidden_size=options.hidden,
        encoder_num_layers=options.layers,
        encoder_dropout=options.dropout,
    )
