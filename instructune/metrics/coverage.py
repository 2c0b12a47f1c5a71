"""Share of a summary's words that stand in runs copied from its source.

Grusky et al. 2018, NAACL N18-1065, section 4.1. It needs no reference.
"""

from __future__ import annotations

from instructune.evaluating.predictions import Answer
from instructune.metrics._fragments import Options, fragment_lengths, source_words
from instructune.metrics._mean import mean_of_rows
from instructune.texts import words

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
MEAN_OF_ROWS = True
CHANCE = False  # it has no right answers to guess
SIGNATURE = "case:lower|cjk:characters|empty:0"
PAPER = "https://aclanthology.org/N18-1065"


def row_score(answer: Answer, options: Options) -> float:
    """Words in fragments by words of the summary; 0 for one without words."""
    source, summary = source_words(answer, options), words(answer.prediction.lower())
    return sum(fragment_lengths(source, summary)) / len(summary) if summary else 0.0


statistics, value = mean_of_rows(row_score)
