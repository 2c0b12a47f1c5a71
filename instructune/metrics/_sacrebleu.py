"""What the metrics that sacrebleu counts share: its statistics a row, its signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.texts import is_chinese


def row_statistics(metric: Any, answers: Sequence[Answer]) -> np.ndarray:
    """(n, k): the counts whose sums make the corpus score; an error is an empty text.

    sacrebleu's own significance tests begin with the same table.
    """
    texts = [answer.prediction or "" for answer in answers]
    most = max(len(answer.references) for answer in answers)
    streams = [
        [a.references[i] if i < len(a.references) else None for a in answers] for i in range(most)
    ]
    return np.array(metric._extract_corpus_statistics(texts, streams), dtype=float)


def signature_of(metric: Any, answers: Sequence[Answer]) -> str:
    """sacrebleu's signature, as it prints it after scoring these answers."""
    numbers = {len(answer.references) for answer in answers}
    metric.num_refs = numbers.pop() if len(numbers) == 1 else -1  # its sign for different ones
    return f"sacrebleu({metric.get_signature()})"


def mostly_chinese(answers: Sequence[Answer]) -> bool:
    """Whether most first references are Chinese."""
    return 2 * sum(is_chinese(answer.references[0]) for answer in answers) > len(answers)
