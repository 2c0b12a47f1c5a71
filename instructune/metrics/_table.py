"""Tables of sufficient statistics, sparse where most of a large one would be zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Table = Any  # an array (n, k), or scipy's CSR array
_DENSE = 200_000  # numbers; below it, importing scipy.sparse costs more than zeros do


def filled(cells: Sequence[tuple[int, int, float]], shape: tuple[int, int]) -> Table:
    """A table of zeros but for `(row, column, value)`, each cell named once."""
    rows, columns, values = (np.array(part) for part in zip(*cells, strict=True))
    if shape[0] * shape[1] > _DENSE:
        from scipy.sparse import csr_array

        return csr_array((values.astype(float), (rows, columns)), shape=shape)
    table = np.zeros(shape)
    table[rows, columns] = values
    return table
