"""Euclidean norms of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def norms(vectors: torch.Tensor) -> torch.Tensor:
    """Of each row of (B, …) as a whole; they divide, so the norm of zeros is 1."""
    found = vectors.flatten(1).norm(dim=1)
    found = found.where(found > 0, found.new_ones(()))
    return found.reshape(-1, *[1] * (vectors.ndim - 1))
