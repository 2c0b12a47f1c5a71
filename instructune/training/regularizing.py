"""The loss that is trained on: an objective's own, with what keeps a model from overfitting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    from instructune.training.retaining import Retention

    Pull = Callable[[torch.Tensor, Batch], torch.Tensor]


def training_loss(
    config: TrainConfig,
    objective: Objective | Scored,
    model: Any,
    retained: Mapping[str, Retention],
) -> Loss:
    """The loss of a batch; of a model in evaluation mode it is the objective's own, plain.

    Those `retained` by name that pull add what they want to the loss, of the same scores. Raises
    UserError (2) where the objective has no distribution to smooth or to compare, or the model
    nothing that makes two passes differ.
    """
    plain = loss = objective.loss(model)
    if config.label_smoothing:
        _scores_of(objective, "--label-smoothing")
        loss = objective.loss(model, smoothing=config.label_smoothing)
    pulls = {f"--retain {name}": each.pull for name, each in retained.items() if each.pulls}
    for option in [*pulls, *(["--r-drop"] if config.r_drop else [])]:
        _scores_of(objective, option)
    if config.r_drop and not varies(model):
        raise usage(
            "two passes would be equal: this model has no dropout that is on",
            where="--r-drop",
            hint="set it, such as --dropout 0.1",
        )
    if config.r_drop or pulls:
        loss = _of_scores(config, objective, model, list(pulls.values()))
    if config.neftune:
        loss = noised(model, loss, config.neftune)
    if config.adversarial:
        _, attack, options = adversaries.configure(config.adversarial)
        loss = attacked(model, loss, attack, options)
    if loss is plain:
        return plain
    return lambda batch: loss(batch) if model.training else plain(batch)


def _of_scores(config: TrainConfig, objective: Any, model: Any, pulls: Sequence[Pull]) -> Loss:
    """The cross-entropy of a batch's scores, and what else is asked of the same scores.

    R-Drop (Liang et al. 2021, arXiv 2106.14448), as its authors' code weighs it, is the mean of
    two passes' cross-entropies, plus `alpha` times the symmetric divergence of their
    distributions.
    """
    alpha, smoothing = config.r_drop, config.label_smoothing

    def loss(batch: Batch) -> torch.Tensor:
        keep = batch.weights > 0
        targets, weights = batch.targets[keep], batch.weights[keep]

        def entropy(scores: torch.Tensor) -> torch.Tensor:
            return losses.cross_entropy(scores, targets, weights, smoothing=smoothing)

        one = objective.scores(model, batch)
        total = entropy(one)
        if alpha:
            other = objective.scores(model, batch)
            total = (total + entropy(other)) / 2
            total = total + alpha * losses.symmetric_divergence(one, other, weights)
        for pull in pulls:
            total = total + pull(one, batch)
        return total

    return loss


def _scores_of(objective: Objective | Scored, option: str) -> Any:
    scores = getattr(objective, "scores", None)
    if scores is None:
        raise usage("is for an objective whose loss is a plain cross-entropy", where=option)
    return scores
