"""Bottleneck networks behind each block's attention and feed-forward layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods import _bottleneck
from instructune.methods._layers import check_ends, linear_layers, unfit
from instructune.training.stacks import stacks

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = False
PAPER = "Houlsby et al. 2019, arXiv 1902.00751"

# the ends of the names of layers that lead back to the hidden width
_ENDS = (
    "attention.output.dense",
    "output.dense",
    "o_proj",
    "out_proj",
    "c_proj",
    "down_proj",
    "fc2",
    "o",
    "wo",
    "dense_4h_to_h",
    "attention.dense",
    "out_lin",
    "lin2",
)


@dataclass(frozen=True)
class Options(_bottleneck.Options):
    """Width and function of the networks, and the layers they stand behind by their names' ends."""

    METHOD = "houlsby"

    target_modules: tuple[str, ...] = ()


def apply(model: PreTrainedModel, options: Options) -> PreTrainedModel:
    """Freeze the model and let what attention and feed-forward layers give pass through networks.

    They stand before the residual connection, and before dropout where there is any.
    """
    inside = tuple(f"{name}." for name in stacks(model))
    layers = [name for name in linear_layers(model) if name.startswith(inside)]
    check_ends(layers, options.target_modules, "houlsby")
    ends = tuple(f".{end}" for end in options.target_modules or _ENDS)
    places = [name for name in layers if f".{name}".endswith(ends)]
    if not places:
        raise unfit("houlsby", model, "name target_modules, such as attention.dense+mlp.dense")
    return _bottleneck.installed(model, places, options)
