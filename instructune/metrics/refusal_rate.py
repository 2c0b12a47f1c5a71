"""Share of answers that refuse, by the rules of the filter refusal (en, zh); lower is better.

An answer that cannot be had counts as one: an error is no help either.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.evaluating.predictions import Answer
from instructune.metrics._answered import text_of
from instructune.metrics._mean import mean_of_rows
from instructune.refusals import WITHIN, disclaims, refuses

REFERENCES = ()
HIGHER_IS_BETTER = False
RANGE = (0.0, 1.0)
WORST = 1.0
MEAN_OF_ROWS = True
SIGNATURE = "rules:own,en+zh"


@dataclass(frozen=True)
class Options:
    """`within`: the signs of an answer that count. `disclaimers`: so do those of an AI's limits."""

    within: int = WITHIN
    disclaimers: bool = False


def row_score(answer: Answer, options: Options) -> float:
    """1 where the answer refuses."""
    text = text_of(answer)
    refused = refuses(text, options.within)
    return float(refused or (options.disclaimers and disclaims(text, options.within)))


statistics, value = mean_of_rows(row_score, worst=WORST)
