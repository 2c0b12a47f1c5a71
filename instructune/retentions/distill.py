"""Learning without forgetting: scores near those that the model gave before its training."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructune.errors import usage
from instructune.retentions._anchored import positive
from instructune.training.retaining import Retention

if TYPE_CHECKING:
    import torch

    from instructune.training.batches import Batch
    from instructune.training.retaining import Origin

PAPER = "Li & Hoiem 2016, arXiv 1606.09282"
STATE_BYTES = 0


@dataclass(frozen=True)
class Options:
    """Weight of the divergence from the old scores, and the temperature that both are taken at."""

    weight: float = 1.0
    temperature: float = 2.0

    def __post_init__(self) -> None:
        positive("distill", weight=self.weight, temperature=self.temperature)


def retain(origin: Origin, options: Options) -> Distillation:
    """The model as it is becomes its own teacher; of a head that grew only the old outputs."""
    if origin.classes == 0:
        raise usage("the head is drawn anew: it gave nothing before", where="--retain distill")
    return Distillation(origin, options)


class Distillation(Retention):
    """Holds a second model, frozen."""

    pulls = True

    def __init__(self, origin: Origin, options: Options) -> None:
        self.options, self.classes = options, origin.classes
        self.scores: Any = getattr(origin.objective, "scores", None)
        self.teacher = copy.deepcopy(origin.model).requires_grad_(False).eval()

    def pull(self, scores: torch.Tensor, batch: Batch) -> torch.Tensor:
        """`weight * T^2 * KL(teacher || model)` of both scores divided by T (Hinton et al. 2015).

        Their paper is arXiv 1503.02531.
        """
        import torch

        from instructune.training.losses import divergence

        with torch.no_grad():
            aims: torch.Tensor = self.scores(self.teacher, batch)[:, : self.classes]
        found = divergence(
            aims,
            scores[:, : self.classes],
            batch.weights[batch.weights > 0],
            temperature=self.options.temperature,
        )
        return self.options.weight * found
