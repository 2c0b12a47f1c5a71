"""Squared distance from the parameters that training began with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.retentions._anchored import Anchored, positive

if TYPE_CHECKING:
    from instructune.training.retaining import Origin

PAPER = "Li et al. 2018, arXiv 1802.01483"
STATE_BYTES = 0


@dataclass(frozen=True)
class Options:
    """Weight of the penalty, half of which times the squared distance is added to the loss."""

    weight: float = 0.1

    def __post_init__(self) -> None:
        positive("l2sp", weight=self.weight)


def retain(origin: Origin, options: Options) -> Anchored:
    """All parameters that are trained, but for a head that was drawn just now, count alike."""
    return Anchored(origin, options.weight)
