"""The loss that is trained on: an objective's own, with what keeps a model from overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from instructune.adversaries import adversaries
from instructune.errors import usage
from instructune.training import losses
from instructune.training.embeddings import attacked, noised
from instructune.training.regularizers import varies

if TYPE_CHECKING:
    import torch

    from instructune.configs import TrainConfig
    from instructune.training.batches import Batch
    from instructune.training.goals import Loss, Objective, Scored


def training_loss(config: TrainConfig, objective: Objective | Scored, model: Any) -> Loss:
    """The loss of a batch; of a model in evaluation mode it is the objective's own, plain.

    Raises UserError (2) where the objective has no distribution to smooth or to compare, or the
    model nothing that makes two passes differ.
    """
    plain = loss = objective.loss(model)
    if config.label_smoothing:
        _scores_of(objective, "--label-smoothing")
        loss = objective.loss(model, smoothing=config.label_smoothing)
    if config.r_drop:
        loss = _twice(objective, model, config.r_drop, config.label_smoothing)
    if config.neftune:
        loss = noised(model, loss, config.neftune)
    if config.adversarial:
        _, attack, options = adversaries.configure(config.adversarial)
        loss = attacked(model, loss, attack, options)
    if loss is plain:
        return plain
    return lambda batch: loss(batch) if model.training else plain(batch)


def _twice(objective: Objective | Scored, model: Any, alpha: float, smoothing: float) -> Loss:
    """R-Drop (Liang et al. 2021, arXiv 2106.14448), as its authors' code weighs it.

    The mean of two passes' cross-entropies, plus `alpha` times the symmetric divergence of their
    distributions.
    """
    scores = _scores_of(objective, "--r-drop")
    if not varies(model):
        raise usage(
            "two passes would be equal: this model has no dropout that is on",
            where="--r-drop",
            hint="set it, such as --dropout 0.1",
        )

    def loss(batch: Batch) -> torch.Tensor:
        keep = batch.weights > 0
        targets, weights = batch.targets[keep], batch.weights[keep]
        one, other = scores(model, batch), scores(model, batch)
        entropies = (
            losses.cross_entropy(found, targets, weights, smoothing=smoothing)
            for found in (one, other)
        )
        return sum(entropies) / 2 + alpha * losses.symmetric_divergence(one, other, weights)

    return loss


def _scores_of(objective: Objective | Scored, option: str) -> Any:
    scores = getattr(objective, "scores", None)
    if scores is None:
        raise usage("is for an objective whose loss is a plain cross-entropy", where=option)
    return scores
