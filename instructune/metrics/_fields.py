"""Fields of a row that `generate` writes where asked, and metrics cannot do without."""

from __future__ import annotations

import math
from typing import Any, NoReturn

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer

_MOST = 1e150
_ROUNDING = 1e-3  # of sums over thousands of tokens that are all but certain


def label_scores(answer: Answer) -> dict[str, float]:
    """The row's `label_scores`: finite log-probabilities by label, of two labels or more."""
    found = answer.row.get("label_scores")
    if not isinstance(found, dict) or len(found) < 2 or not all(map(_logarithm, found.values())):
        what = "a log-probability, 0 at most, for each of two labels or more"
        _refuse(answer, "label_scores", what, "generate --label-scores")
    return found


def reference_logprob(answer: Answer, unit: str) -> tuple[float, int]:
    """The log-probability of the row's reference, and its length in `unit`: tokens or bytes."""
    found = answer.row.get("reference_logprob")
    known = found if isinstance(found, dict) else {}
    total, size = known.get("sum", math.nan), known.get(unit)
    if not _logarithm(total) or type(size) is not int or size < 1:
        what = f"{{sum, {unit}}} with a sum of 0 at most"
        _refuse(answer, "reference_logprob", what, "generate --score-references")
    return total, size


def _logarithm(value: Any) -> bool:
    """Whether it may be the logarithm of a probability; a loss, a logit or a chance is none."""
    return type(value) in (int, float) and -_MOST <= value <= _ROUNDING


def _refuse(answer: Answer, field: str, what: str, writer: str) -> NoReturn:
    state = f"{field} must be {what}" if field in answer.row else f"has no {field} ({what})"
    raise UserError(f"id {answer.row['id']!r}: {state}", hint=f"{writer} writes it")
