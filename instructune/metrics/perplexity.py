"""Perplexity of the references a token, from `reference_logprob`; less is better.

Tokens are the model's own: models with other tokenizers compare by bits_per_byte.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._fields import reference_logprob

REFERENCES = ()
HIGHER_IS_BETTER = False
RANGE = (1.0, float("inf"))
SIGNATURE = "weighted:tokens"


def statistics(answers: Sequence[Answer]) -> np.ndarray:
    """(n, 2): the reference's surprisal in nats, and its tokens."""
    found = [reference_logprob(answer, "tokens") for answer in answers]
    return np.array([(-total, tokens) for total, tokens in found], dtype=float)


def value(sums: np.ndarray) -> np.ndarray:
    """Exponential of the surprisal by tokens: long references weigh more than short ones."""
    return np.exp(sums[..., 0] / sums[..., 1])
