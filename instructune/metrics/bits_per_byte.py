"""Bits that the model needs for a byte of the references, from `reference_logprob`; less is better.

It compares models whatever their tokenizers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._fields import reference_logprob

REFERENCES = ()
HIGHER_IS_BETTER = False
RANGE = (0.0, float("inf"))
SIGNATURE = "weighted:bytes"


def statistics(answers: Sequence[Answer]) -> np.ndarray:
    """(n, 2): the reference's surprisal in bits, and its bytes."""
    found = [reference_logprob(answer, "bytes") for answer in answers]
    return np.array([(-total / math.log(2), size) for total, size in found], dtype=float)


def value(sums: np.ndarray) -> np.ndarray:
    """Bits by bytes."""
    return sums[..., 0] / sums[..., 1]
