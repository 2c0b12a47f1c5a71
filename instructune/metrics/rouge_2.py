"""ROUGE-2: F1 of the pairs of words that prediction and reference share; the best reference counts.

Lin 2004, ACL W04-1013; the numbers of `rouge-score`, which knows English only.
"""

from __future__ import annotations

from collections import Counter

from instructune.evaluating.predictions import Answer
from instructune.metrics._mean import mean_of_rows
from instructune.metrics._rouge import Options, best_f1, ngrams

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
MEAN_OF_ROWS = True
SIGNATURE = "score:f1|case:lower|cjk:characters|references:best"
PAPER = "https://aclanthology.org/W04-1013"


def row_score(answer: Answer, options: Options) -> float:
    """The highest F1 over the references; two empty texts share nothing."""
    return best_f1(_shared, answer, options)


def _shared(predicted: list[str], true: list[str]) -> tuple[int, int, int]:
    mine, theirs = Counter(ngrams(predicted, 2)), Counter(ngrams(true, 2))
    return (mine & theirs).total(), mine.total(), theirs.total()


statistics, value = mean_of_rows(row_score)
