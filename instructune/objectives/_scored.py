"""Objectives whose loss is the cross-entropy of scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from instructune.training.batches import Batch
    from instructune.training.goals import Loss


class CrossEntropy(ABC):
    """The loss of what `scores` gives."""

    whole = False

    @abstractmethod
    def scores(self, model: Any, batch: Batch) -> torch.Tensor:
        """Of the units with a weight, (N, C), in the order of `batch.weights > 0`."""

    def loss(self, model: Any, smoothing: float = 0.0) -> Loss:
        """The weighted sum of their cross-entropies, in nats."""
        from instructune.training import losses

        def loss(batch: Batch) -> torch.Tensor:
            keep = batch.weights > 0
            targets, weights = batch.targets[keep], batch.weights[keep]
            scores = self.scores(model, batch)
            return losses.cross_entropy(scores, targets, weights, smoothing=smoothing)

        return loss
