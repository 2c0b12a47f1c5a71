"""Words of the source by words of its summary, the mean over rows.

Grusky et al. 2018, NAACL N18-1065, section 4.3. It needs no reference.
"""

from __future__ import annotations

from instructune.evaluating.predictions import Answer
from instructune.metrics._fragments import Options, source_words
from instructune.metrics._mean import mean_of_rows
from instructune.texts import words

REFERENCES = ("text", "label")
HIGHER_IS_BETTER = True
RANGE = (0.0, float("inf"))
MEAN_OF_ROWS = True
CHANCE = False  # it has no right answers to guess
SIGNATURE = "cjk:characters|empty:0"
PAPER = "https://aclanthology.org/N18-1065"


def row_score(answer: Answer, options: Options) -> float:
    """How many words of the source one of the summary stands for; 0 for one without words."""
    source, summary = source_words(answer, options), words(answer.prediction)
    return len(source) / len(summary) if summary else 0.0


statistics, value = mean_of_rows(row_score)
