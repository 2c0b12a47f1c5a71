"""Elastic weight consolidation: distance from the start, by how much old rows depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.errors import Exit, UserError, usage
from instructune.retentions._anchored import Anchored, positive

if TYPE_CHECKING:
    import torch

    from instructune.training.retaining import Origin

PAPER = "Kirkpatrick et al. 2017, arXiv 1612.00796"
STATE_BYTES = 4


@dataclass(frozen=True)
class Options:
    """A file of old records, how many of them are drawn, and the penalty's weight.

    A value of mean importance is held as by `l2sp` of the same weight.
    """

    data: str
    rows: int = 200
    weight: float = 0.1

    def __post_init__(self) -> None:
        positive("ewc", rows=self.rows, weight=self.weight)


def retain(origin: Origin, options: Options) -> Consolidation:
    """What was drawn just now, such as a new head, is not held."""
    if origin.objective.whole:
        raise usage("needs an objective whose rows have a loss of their own", where="--retain ewc")
    return Consolidation(origin, options.weight)


class Consolidation(Anchored):
    """Each value counts as much as the diagonal of the empirical Fisher information says.

    That is the mean over the old rows of the squared gradient of their log-likelihood, dropout
    being off, as a multiple of its own mean. It is computed before the first update and kept in
    checkpoints.
    """

    def __init__(self, origin: Origin, weight: float) -> None:
        super().__init__(origin, weight)
        self.origin = origin
        self.fisher: dict[str, torch.Tensor] = {}

    def importance(self, name: str) -> torch.Tensor:
        """The diagonal's part for a parameter."""
        return self.fisher[name]

    def begin(self, step: int) -> None:
        """Compute the diagonal, where no checkpoint had it."""
        import torch

        old, origin = self.origin.old, self.origin
        if self.fisher or old is None:
            return
        self.fisher = {n: torch.zeros_like(m).detach() for n, m in self.masters.items()}
        loss, was_training = origin.objective.loss(origin.model), origin.model.training
        origin.model.eval()
        device = next(origin.model.parameters()).device
        for row in range(len(old)):
            loss(old.batch([row], origin.pad_id).to(device)).backward()
            for name, master in self.masters.items():
                if master.grad is not None:
                    self.fisher[name].addcmul_(master.grad, master.grad, value=1 / len(old))
            origin.optimizer.forget()
        origin.model.train(was_training)
        self._scale()

    def _scale(self) -> None:
        """Let the mean be 1: what the rows are well known for has a tiny diagonal."""
        total = sum(float(t.double().sum()) for t in self.fisher.values())
        if not total:
            reason = "the old rows depend on no parameter that is trained"
            raise UserError(reason, where="--retain ewc", code=Exit.MISMATCH)
        mean = total / sum(t.numel() for t in self.fisher.values())
        for tensor in self.fisher.values():
            tensor /= mean

    def tensors(self) -> dict[str, torch.Tensor]:
        """The diagonal."""
        return self.fisher

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take it back."""
        self.fisher = {n: t.to(self.masters[n].device) for n, t in tensors.items()}
