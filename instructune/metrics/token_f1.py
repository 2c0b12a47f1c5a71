"""Overlap of the words of prediction and reference, by the SQuAD rules; the best reference counts.

Rajpurkar et al. 2016, arXiv:1606.05250, section 6.
"""

from __future__ import annotations

from collections import Counter

from instructune.evaluating.predictions import Answer
from instructune.metrics._mean import mean_of_rows
from instructune.metrics._text import squad_tokens

REFERENCES = ("text", "label")
DEFAULT_FOR = ("text",)
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
MEAN_OF_ROWS = True
SIGNATURE = "norm:squad|cjk:characters|references:best"
PAPER = "https://arxiv.org/abs/1606.05250"


def row_score(answer: Answer) -> float:
    """The highest F1 over the references; two empty texts agree."""
    prediction = squad_tokens(answer.prediction)
    return max(_overlap_f1(prediction, squad_tokens(text)) for text in answer.references)


def _overlap_f1(prediction: list[str], reference: list[str]) -> float:
    if not prediction or not reference:
        return float(prediction == reference)
    shared = (Counter(prediction) & Counter(reference)).total()
    return 2 * shared / (len(prediction) + len(reference))


statistics, value = mean_of_rows(row_score)
