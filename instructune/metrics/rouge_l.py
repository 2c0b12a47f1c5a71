"""ROUGE-L: F1 of the longest common subsequence of words; the best reference counts.

Lin 2004, ACL W04-1013; the numbers of `rouge-score`, which knows English only.
"""

from __future__ import annotations

from instructune.evaluating.predictions import Answer
from instructune.metrics._mean import mean_of_rows
from instructune.metrics._rouge import Options, best_f1

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
    return _common_subsequence(predicted, true), len(predicted), len(true)


def _common_subsequence(one: list[str], other: list[str]) -> int:
    """Length of the longest common subsequence, a row of the table at once as bits of a number.

    Hyyrö 2004, "Bit-parallel LCS-length computation revisited", AWOCA.
    """
    places: dict[str, int] = {}
    for i, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << i
    full = (1 << len(one)) - 1
    row = full
    for token in other:
        met = row & places.get(token, 0)
        row = (row + met | row - met) & full
    return len(one) - row.bit_count()


statistics, value = mean_of_rows(row_score)
