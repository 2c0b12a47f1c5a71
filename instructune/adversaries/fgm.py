"""One step of a given length along the gradient of each row's embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.adversaries._norms import norms
from instructune.errors import usage

if TYPE_CHECKING:
    import torch

PAPER = "Miyato et al. 2016, arXiv 1605.07725"


@dataclass(frozen=True)
class Options:
    """Length of the step: the Euclidean norm over all vectors of a row."""

    epsilon: float = 1.0

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise usage("attack 'fgm': epsilon must be above 0")


def steps(options: Options) -> int:
    """One."""
    return 1


def moved(perturbation: torch.Tensor, gradient: torch.Tensor, options: Options) -> torch.Tensor:
    """`epsilon * g / |g|`; nothing where the gradient is 0."""
    return options.epsilon * gradient / norms(gradient)
