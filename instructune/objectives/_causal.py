"""Objectives that learn the next token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from instructune.architectures import Head
from instructune.training.batches import Batch, TokenData, causal

if TYPE_CHECKING:
    import torch

    from instructune.training.goals import Given, Loss


class NextToken:
    """Every learned token counts its weight."""

    head = Head("causal")
    whole = False

    def __init__(self, options: Any, given: Given) -> None:
        self.options, self.given = options, given
        self.facts: dict[str, Any] = {}

    def collate(self, data: TokenData, rows: list[int], pad_id: int, draw: int) -> Batch:
        """Rows padded to the longest, each token scored against the next."""
        return causal(data, rows, pad_id, draw)

    def scores(self, model: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The logits of the learned tokens, (N, V)."""
        from instructune.training.heads import supervised_scores

        return supervised_scores(model, batch)

    def loss(self, model: torch.nn.Module, smoothing: float = 0.0) -> Loss:
        """Sum of weighted token losses, in nats.

        Only positions with a weight go through the output layer.
        """
        from instructune.training.heads import supervised_loss

        return supervised_loss(model, smoothing)
