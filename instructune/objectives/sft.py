"""Instruction tuning: next-token loss on the answers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instructune.architectures import Head
from instructune.tokens import Encoding
from instructune.training.batches import Batch, causal

if TYPE_CHECKING:
    import torch

    from instructune.training.goals import Given, Loss

HEAD = "causal"


class Objective:
    """Every learned token counts its weight."""

    head = Head(HEAD)
    collate = staticmethod(causal)

    def __init__(self, options: None, given: Given) -> None:
        self.given = given
        self.facts: dict[str, object] = {}

    def encoding(self, *, learns: bool) -> Encoding:
        """Records to rows of tokens, the answers' weighted."""
        given = self.given
        return Encoding(given.tokenizer, given.train_on, given.limit, given.overflow)

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
