"""What holds a model near the one that its training began with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructune.errors import Exit, UserError
from instructune.retentions import retentions
from instructune.training.coaching import Coach

if TYPE_CHECKING:
    import torch

    from instructune.architectures import Head
    from instructune.training.batches import Batch, TokenData
    from instructune.training.goals import Objective
    from instructune.training.optimizers import Optimizer
    from instructune.training.work import Work


class Retention(Coach):
    """Adds to the gradients of an update as a coach does, or to the loss where it `pulls`."""

    pulls = False

    def pull(self, scores: torch.Tensor, batch: Batch) -> torch.Tensor:
        """What is added to the loss of a batch, given the scores (N, C) of its units; 0-d."""
        raise NotImplementedError


@dataclass(frozen=True)
class Origin:
    """A model before its first update, and what it is trained by.

    `masters` are the trained parameters in float32 that came from before, by name; what was
    drawn just now, such as a new head, is not worth keeping. `old` are the rows that a plug-in's
    option `data` names; `classes` says how many of a head's outputs are older than this run,
    None for all.
    """

    model: Any
    optimizer: Optimizer
    masters: Mapping[str, torch.Tensor]
    objective: Objective
    pad_id: int
    old: TokenData | None = None
    classes: int | None = None


def held(
    work: Work, model: Any, optimizer: Optimizer, drawn: frozenset[str]
) -> dict[str, Retention]:
    """The retentions of a run, by name; `drawn` are names of parameters as the base has them.

    Raises UserError (78) where nothing was there before that could be kept.
    """
    if not work.retained:
        return {}
    if work.start.model.is_drawn:
        reason = "the model was never trained: there is nothing to keep"
        raise UserError(reason, where="--retain", code=Exit.MISMATCH)
    named = zip(optimizer.names, optimizer.masters, strict=True)
    masters = {name: master for name, master in named if _in_base(name) not in drawn}
    before, now = work.start.model.head, work.role.head
    classes = None
    if before.labels != now.labels or before.kind != now.kind:
        classes = len(before.labels) if now.extends(before) else 0
    parts = model, optimizer, masters, work.objective, work.pad_id
    return {
        name: retentions[name].retain(Origin(*parts, kept.rows, classes), kept.options)
        for name, kept in work.retained.items()
    }


def drawn_names(model: Any, before: Head, now: Head) -> frozenset[str]:
    """Names of the parameters above a model's body, where its head is not the one before."""
    if now.extends(before):
        return frozenset()
    below = {id(parameter) for parameter in model.base_model.parameters()}
    return frozenset(name for name, p in model.named_parameters() if id(p) not in below)


def _in_base(name: str) -> str:
    """The name that a parameter had before peft put its own around it."""
    return name.removeprefix("base_model.model.").replace(".modules_to_save.default.", ".")
