"""Only the top blocks, the head or other chosen parts are trained."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.errors import usage
from instructune.methods._layers import groups
from instructune.methods._options import at_least

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ADAPTER = False
MERGES = False
PAPER = ""


@dataclass(frozen=True)
class Options:
    """The number of top blocks, embeddings, the head, and what a regular expression finds.

    `pattern` is searched in the names of parameters, which are trained beside the rest. The head
    is what stands above the blocks, a last norm and a pooler too; an output layer that is tied to
    the embeddings goes with these.
    """

    layers: int = 1
    embeddings: bool = False
    head: bool = True
    pattern: str = ""

    def __post_init__(self) -> None:
        at_least("freeze", 0, layers=self.layers)
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise usage(f"method 'freeze': pattern is no regular expression: {error}") from None


def apply(model: PreTrainedModel, options: Options) -> PreTrainedModel:
    """Freeze what was not asked for; raises a usage error where that is everything."""
    found = groups(model)
    depth = len(found.layers)
    if options.layers > depth:
        raise usage(f"method 'freeze': layers must be at most {depth}, got {options.layers}")
    names = {name for layer in found.layers[depth - options.layers :] for name in layer}
    names |= set(found.embeddings if options.embeddings else [])
    names |= set(found.head if options.head else [])
    if options.pattern:
        every = [name for name, _ in model.named_parameters()]
        fitting = {name for name in every if re.search(options.pattern, name)}
        if not fitting:
            raise usage(f"method 'freeze': pattern {options.pattern!r} finds no parameter")
        names |= fitting
    if not names:
        raise usage("method 'freeze': nothing is left to be trained")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in names)
    return model
