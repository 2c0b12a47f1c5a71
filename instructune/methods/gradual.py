"""Everything is trained in the end, first the top alone, then block by block down to the words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.errors import usage
from instructune.methods._layers import groups
from instructune.training.coaching import Coach

if TYPE_CHECKING:
    from torch.nn import Parameter
    from transformers import PreTrainedModel

ADAPTER = False
MERGES = False
PAPER = "Howard & Ruder 2018, arXiv 1801.06146"


@dataclass(frozen=True)
class Options:
    """The share of the steps after which all is trained; groups come in at equal distances."""

    until: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.until <= 1:
            raise usage(f"method 'gradual': until must be above 0 to 1, got {self.until}")


def apply(model: PreTrainedModel, options: Options) -> PreTrainedModel:
    """Make all parameters trainable, so that each has its place in the optimizer."""
    return model.requires_grad_(True)


def during(model: PreTrainedModel, options: Options, steps: int) -> Thaw:
    """Freeze what is not due, step by step less."""
    return Thaw(model, options.until, steps)


class Thaw(Coach):
    """Which parameters ask for gradients: a function of the number of updates alone.

    A top group without a matrix of its own, such as the last norm of a model whose output layer
    is tied to its embeddings, goes with the uppermost block.
    """

    def __init__(self, model: PreTrainedModel, until: float, steps: int) -> None:
        found, by_name = groups(model), dict(model.named_parameters())
        named = [found.head, *reversed(found.layers), found.embeddings]
        self.groups: list[list[Parameter]] = [[by_name[n] for n in g] for g in named if g]
        if len(self.groups) > 1 and all(p.ndim < 2 for p in self.groups[0]):
            self.groups[:2] = [self.groups[0] + self.groups[1]]
        self.until, self.steps = until, steps

    def begin(self, step: int) -> None:
        """Thaw what is due for the update behind this one."""
        due = self.due(step)
        for number, group in enumerate(self.groups):
            for parameter in group:
                parameter.requires_grad_(number < due)

    def updated(self, step: int) -> None:
        """The same for the next update."""
        self.begin(step)

    def due(self, step: int) -> int:
        """How many groups are trained when `step` updates are done."""
        done = step / (self.until * self.steps)
        return min(len(self.groups), 1 + int(done * (len(self.groups) - 1)))
