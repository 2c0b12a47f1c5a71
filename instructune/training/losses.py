"""Scores and targets in, weighted sums of losses out.

Shapes: N units, C classes, L labels of which each may be right.
"""

from __future__ import annotations

import torch
from torch.nn import functional


def cross_entropy(
    scores: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    *,
    gamma: float = 0.0,
    smoothing: float = 0.0,
) -> torch.Tensor:
    """Of scores (N, C) against classes (N,), in nats; a 0-d float32 tensor.

    `gamma` above 0 gives the focal loss, `(1 - p) ** gamma` times the entropy (Lin et al. 2017,
    arXiv 1708.02002); `smoothing` is the share of the target spread over all classes (Szegedy et
    al. 2015, arXiv 1512.00567).
    """
    losses = functional.cross_entropy(
        scores.float(), targets, reduction="none", label_smoothing=smoothing
    )
    if gamma:
        right = scores.float().log_softmax(-1).gather(-1, targets[:, None])[:, 0]
        losses = losses * (1 - right.exp()) ** gamma
    return (losses * weights).sum()


def symmetric_divergence(
    one: torch.Tensor, other: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Half of KL(p||q) + KL(q||p), of scores (N, C) each, in nats; a 0-d float32 tensor."""
    p, q = one.float().log_softmax(-1), other.float().log_softmax(-1)
    found = ((p.exp() - q.exp()) * (p - q)).sum(-1) / 2
    return (found * weights).sum()


def divergence(
    aims: torch.Tensor, scores: torch.Tensor, weights: torch.Tensor, *, temperature: float = 1.0
) -> torch.Tensor:
    """`T^2 KL(p||q)`, p of the aims and q of the scores (N, C) by T, in nats; 0-d float32.

    The factor keeps the gradients as large as without a temperature (Hinton et al. 2015,
    arXiv 1503.02531).
    """
    p, q = ((each.float() / temperature).log_softmax(-1) for each in (aims, scores))
    found = (p.exp() * (p - q)).sum(-1)
    return temperature**2 * (found * weights).sum()


def binary_cross_entropy(
    scores: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    *,
    gamma: float = 0.0,
    positive: torch.Tensor | None = None,
) -> torch.Tensor:
    """Of scores (N, L) against 0 and 1 (N, L), the mean over labels of each row; 0-d float32.

    `positive` (L,) weighs what is right of each label, `gamma` is as in `cross_entropy`.
    """
    losses = functional.binary_cross_entropy_with_logits(
        scores.float(), targets, pos_weight=positive, reduction="none"
    )
    if gamma:
        right = torch.where(targets > 0, scores.float(), -scores.float()).sigmoid()
        losses = losses * (1 - right) ** gamma
    return (losses.mean(-1) * weights).sum()


def squared_error(
    scores: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Of scores (N,) against numbers (N,); 0-d float32."""
    return ((scores.float() - targets) ** 2 * weights).sum()
