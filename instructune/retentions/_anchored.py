"""Gradients that draw parameters back to where they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instructune.errors import usage
from instructune.training.retaining import Retention

if TYPE_CHECKING:
    import torch

    from instructune.training.retaining import Origin


def positive(name: str, **values: float) -> None:
    """Raise a usage error where a number is not above 0."""
    for key, value in values.items():
        if not value > 0:
            raise usage(f"retention {name!r}: {key} must be above 0, got {value}")


class Anchored(Retention):
    """Half of `weight` times the squared way that each parameter went, however much it counts."""

    def __init__(self, origin: Origin, weight: float) -> None:
        self.masters, self.weight = origin.masters, weight
        self.places = {name: master.detach().clone() for name, master in self.masters.items()}

    def importance(self, name: str) -> torch.Tensor | float:
        """How much each value of a parameter counts."""
        return 1.0

    def gathered(self) -> None:
        """Add the penalty's gradient: `weight * importance * (parameter - place)`."""
        for name, master in self.masters.items():
            if master.grad is not None:
                way = master.detach() - self.places[name]
                master.grad += self.weight * self.importance(name) * way
