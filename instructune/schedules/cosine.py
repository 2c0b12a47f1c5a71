"""Half a cosine wave down to 0, without restarts."""

from __future__ import annotations

import math

PAPER = "Loshchilov & Hutter 2016, arXiv 1608.03983"


def share(step: int, steps: int, options: None) -> float:
    """Slow, fast, slow."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, steps))))
