"""What the methods with bottleneck networks share; peft has none, see `bottlenecks`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from instructune.architectures import TASKS, kind_of
from instructune.methods._layers import heads
from instructune.methods._options import at_least

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Options:
    """Width of the networks' middle, and the function there."""

    METHOD: ClassVar[str] = ""

    width: int = 16
    activation: Literal["relu", "gelu", "silu", "tanh"] = "relu"

    def __post_init__(self) -> None:
        at_least(self.METHOD, 1, width=self.width)


def installed(model: PreTrainedModel, places: list[str], options: Options) -> PreTrainedModel:
    """The model with a network behind each place, to be trained with a classifier's head."""
    from instructune import bottlenecks

    task = TASKS[kind_of(type(model).__name__)]
    kept = heads(model)
    plan = bottlenecks.Plan(places, options.width, options.activation, kept, task)
    bottlenecks.install(model, plan)
    return model
