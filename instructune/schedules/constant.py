"""The peak rate to the end."""

from __future__ import annotations


def share(step: int, steps: int, options: None) -> float:
    """All of it."""
    return 1.0
