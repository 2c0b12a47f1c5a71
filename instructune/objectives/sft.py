"""Instruction tuning: next-token loss on the answers alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from instructune.training.batches import Batch

Loss = Callable[["Batch"], "torch.Tensor"]


def loss(model: torch.nn.Module) -> Loss:
    """The function from a batch to its weighted sum of token losses, in nats; a 0-d tensor.

    Only positions with a weight go through the output layer.
    """
    from instructune.training.heads import supervised_loss

    return supervised_loss(model)
