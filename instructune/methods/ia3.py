"""Learned scales of keys, values and of what the feed-forward layers hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.errors import usage
from instructune.methods._layers import targets, unfit
from instructune.methods._peft import wrapped

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Liu et al. 2022, arXiv 2205.05638"


@dataclass(frozen=True)
class Options:
    """The layers to scale by the ends of their names; `feedforward_modules` by their inputs.

    Those that are not named are those of the paper, where peft knows the model's type.
    """

    target_modules: tuple[str, ...] = ()
    feedforward_modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if strangers := set(self.feedforward_modules) - set(self.target_modules):
            told = ", ".join(sorted(strangers))
            raise usage(f"method 'ia3': feedforward_modules must be target_modules too: {told}")


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and scale outputs of key and value layers, inputs of feed-forward ones."""
    from peft import IA3Config
    from peft.utils import constants

    kind = model.config.model_type
    outer_of = constants.TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING
    inner_of = constants.TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING
    inner = list(options.feedforward_modules)
    if options.target_modules:
        layers = targets(model, options.target_modules, "ia3")
    elif kind in outer_of:
        layers = list(outer_of[kind])
        inner = list(inner_of[kind])
    else:
        raise unfit("ia3", model, "name target_modules, such as ia3:target_modules=k_proj+v_proj")
    return wrapped(model, "ia3", IA3Config, target_modules=layers, feedforward_modules=inner)
