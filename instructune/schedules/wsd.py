"""Warm-up, stable, decay: the peak rate for most of the run, then down to 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from instructune.errors import usage

PAPER = "Hu et al. 2024, arXiv 2404.06395; Hägele et al. 2024, arXiv 2405.18392"


@dataclass(frozen=True)
class Options:
    """Share of the steps behind the warm-up in which the rate decays, and in which shape."""

    decay: float = 0.2
    shape: Literal["linear", "cosine", "sqrt"] = "linear"

    def __post_init__(self) -> None:
        if not 0 <= self.decay <= 1:
            raise usage("schedule 'wsd': decay must be from 0 to 1")


def share(step: int, steps: int, options: Options) -> float:
    """1, then `1 - d`, half a cosine wave, or `1 - sqrt(d)` where the share d of decay is over."""
    decaying = round(options.decay * steps)
    if step < steps - decaying:
        return 1.0
    done = min(1.0, (step - (steps - decaying)) / max(1, decaying))
    if options.shape == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1 - (math.sqrt(done) if options.shape == "sqrt" else done)
