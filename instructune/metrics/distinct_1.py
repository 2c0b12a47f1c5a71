"""Different words in all answers by all words: how varied they are.

Li et al. 2016, NAACL N16-1014. It needs no reference, and falls with the number of answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.metrics._diversity import distinct_evaluator

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
CHANCE = False  # it has no right answers to guess
SIGNATURE = "case:lower|cjk:characters|resamples:shares"
PAPER = "https://aclanthology.org/N16-1014"


def evaluator(answers: Sequence[Answer]) -> Callable[[np.ndarray], np.ndarray]:
    """Values (b,) of weighted rows (b, n)."""
    return distinct_evaluator(answers, 1)
