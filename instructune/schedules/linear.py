"""A straight line down to 0."""

from __future__ import annotations


def share(step: int, steps: int, options: None) -> float:
    """What is left of the steps."""
    return max(0.0, 1 - step / max(1, steps))
