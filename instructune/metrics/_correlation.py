"""Pearson's correlation of weighted pairs."""

from __future__ import annotations

import numpy as np


def correlation(weights: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Correlations (b,) under weights (b, n) of sides (n,) or (b, n); 0 where one is constant.

    Two passes, as sums of squares less squared sums cancel. Sums run along rows in their order,
    in which no thread has a say.
    """
    total = weights.sum(axis=1, keepdims=True)
    parts = [side - (weights * side).sum(axis=1, keepdims=True) / total for side in (one, other)]
    spreads = [np.sqrt((weights * part**2).sum(axis=1)) for part in parts]
    product = spreads[0] * spreads[1]
    moved = [
        spread > 1e-13 * np.abs(side).max(initial=0.0) * np.sqrt(total[:, 0])
        for spread, side in zip(spreads, (one, other), strict=True)
    ]
    found = np.divide(
        (weights * parts[0] * parts[1]).sum(axis=1),
        product,
        out=np.zeros_like(product),
        where=moved[0] & moved[1] & (product > 0),
    )
    return np.clip(found, -1.0, 1.0)
