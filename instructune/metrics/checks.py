"""Share of answers that pass every check of their row; the prompt-level accuracy of IFEval.

Checks that do not exist or have wrong args fail and are named in details. `loose` gives IFEval's
loose accuracy: an answer passes a check if it does without its first line, its last, asterisks.
Zhou et al. 2023, arXiv:2311.07911; the known faults of its verifiers are mended (see each check).
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
MEAN_OF_ROWS = True
SIGNATURE = "level:row|unknown:fail"
PAPER = "https://arxiv.org/abs/2311.07911"

value = share
details = report


def row_score(answer: Answer, options: Options) -> float:
    """1 where the answer passes every check."""
    return float(all(good for _, good in verdicts(answer, options.loose)))


def statistics(answers: Sequence[Answer], options: Options) -> Table:
    """Rows that pass all, rows, then checks passed and in all by name."""
    return table(answers, options, whole=True)
