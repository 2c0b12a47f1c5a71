"""Several small steps along the gradient of each row's embeddings, kept within a ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.adversaries._norms import norms
from instructune.errors import usage

if TYPE_CHECKING:
    import torch

PAPER = "Madry et al. 2017, arXiv 1706.06083"


@dataclass(frozen=True)
class Options:
    """Radius of the ball, length of a step, and how many; each costs a pass through the model."""

    epsilon: float = 1.0
    alpha: float = 0.3
    steps: int = 3

    def __post_init__(self) -> None:
        for name in ("epsilon", "alpha", "steps"):
            if not getattr(self, name) > 0:
                raise usage(f"attack 'pgd': {name} must be above 0")


def steps(options: Options) -> int:
    """As asked."""
    return options.steps


def moved(perturbation: torch.Tensor, gradient: torch.Tensor, options: Options) -> torch.Tensor:
    """`r + alpha * g / |g|`, brought back to the ball's surface where it left the ball."""
    found = perturbation + options.alpha * gradient / norms(gradient)
    return found * (options.epsilon / norms(found)).clamp(max=1.0)
