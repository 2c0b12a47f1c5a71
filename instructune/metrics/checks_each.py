"""Share of all checks that answers pass, row by row; the instruction-level accuracy of IFEval.

Checks that do not exist or have wrong args fail and are named in details. `loose` gives IFEval's
loose accuracy: an answer passes a check if it does without its first line, its last, asterisks.
"""

from __future__ import annotations

from collections.abc import Sequence

from instructune.evaluating.predictions import Answer
from instructune.metrics._checks import Options, report, share, table, verdicts
from instructune.metrics._table import Table

REFERENCES = ()
DEFAULT_FOR = ("checks",)
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
SIGNATURE = "level:check|unknown:fail"
PAPER = "https://arxiv.org/abs/2311.07911"

value = share
details = report


def row_score(answer: Answer, options: Options) -> float:
    """The share of the row's checks that the answer passes."""
    found = verdicts(answer, options.loose)
    return sum(good for _, good in found) / len(found)


def statistics(answers: Sequence[Answer], options: Options) -> Table:
    """Checks passed and in all, then both by name."""
    return table(answers, options, whole=False)
