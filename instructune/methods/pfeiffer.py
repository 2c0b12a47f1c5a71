"""One bottleneck network behind each block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods import _bottleneck
from instructune.training.stacks import stacks

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = False
PAPER = "Pfeiffer et al. 2020, arXiv 2005.00247"


@dataclass(frozen=True)
class Options(_bottleneck.Options):
    """Width and function of the networks."""

    METHOD = "pfeiffer"


def apply(model: PreTrainedModel, options: Options) -> PreTrainedModel:
    """Freeze the model and let what its blocks give, residual and all, pass through networks."""
    found = stacks(model).items()
    places = [f"{name}.{i}" for name, stack in found for i in range(len(stack))]
    return _bottleneck.installed(model, places, options)
