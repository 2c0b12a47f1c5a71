"""Division that knows nothing by nothing."""

from __future__ import annotations

import numpy as np


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, 0 where there is no whole."""
    shape = np.broadcast_shapes(np.shape(part), np.shape(whole))
    return np.divide(part, whole, out=np.zeros(shape), where=np.asarray(whole) > 0)
