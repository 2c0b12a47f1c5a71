"""What a method does between the updates, keeps in checkpoints, and changes when it is saved."""

from __future__ import annotations

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
