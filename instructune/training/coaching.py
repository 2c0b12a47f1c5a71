"""What a method does between the updates, keeps in checkpoints, and changes when it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class Coach:
    """Does nothing: what a method's own coach derives from.

    A run that is resumed makes a new one: what it knows beside the number of updates must be in
    `tensors`, or the run would not end as a straight one does.
    """

    def begin(self, step: int) -> None:
        """Before the first update of this process, `step` having been done before."""

    def gathered(self) -> None:
        """When all gradients of an update are there, before they are clipped."""

    def updated(self, step: int) -> None:
        """After update number `step`, its gradients still there."""

    def tensors(self) -> dict[str, torch.Tensor]:
        """What a checkpoint has to hold, by names of its own."""
        return {}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take back what `tensors` gave."""

    def stored(
        self, tensors: dict[str, torch.Tensor], config: Any
    ) -> tuple[dict[str, torch.Tensor], Any]:
        """What is written of an adapter: its tensors and a copy of peft's config of it."""
        return tensors, config


class Coaches(Coach):
    """Several at once, in their order; each one's tensors are told from the others' by its name."""

    def __init__(self, named: Mapping[str, Coach]) -> None:
        self.named = named

    def begin(self, step: int) -> None:
        """All of them."""
        for coach in self.named.values():
            coach.begin(step)

    def gathered(self) -> None:
        """All of them."""
        for coach in self.named.values():
            coach.gathered()

    def updated(self, step: int) -> None:
        """All of them."""
        for coach in self.named.values():
            coach.updated(step)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Those of all, behind the name of each and a point."""
        return {
            f"{name}.{key}": tensor
            for name, coach in self.named.items()
            for key, tensor in coach.tensors().items()
        }

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """To each its own, whatever else is there."""
        for name, coach in self.named.items():
            prefix = f"{name}."
            own = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
            coach.load(own)
