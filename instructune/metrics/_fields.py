"""Fields of a row that `generate` writes where asked, and metrics cannot do without."""

from __future__ import annotations

import math
from typing import Any, NoReturn

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer


def label_scores(answer: Answer) -> dict[str, float]:
    """The row's `label_scores`: finite log-probabilities by label."""
    found = answer.row.get("label_scores")
    if not isinstance(found, dict) or not found or not all(map(_finite, found.values())):
        _refuse(answer, "label_scores", "a log-probability a label", "generate --label-scores")
    return found


def reference_logprob(answer: Answer, unit: str) -> tuple[float, int]:
    """The log-probability of the row's reference, and its length in `unit`: tokens or bytes."""
    found = answer.row.get("reference_logprob")
    known = found if isinstance(found, dict) else {}
    total, size = known.get("sum", math.nan), known.get(unit)
    if not _finite(total) or type(size) is not int or size < 1:
        _refuse(answer, "reference_logprob", f"{{sum, {unit}}}", "generate --score-references")
    return total, size


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _refuse(answer: Answer, field: str, what: str, writer: str) -> NoReturn:
    state = f"{field} must be {what}" if field in answer.row else f"has no {field} ({what})"
    raise UserError(f"id {answer.row['id']!r}: {state}", hint=f"{writer} writes it")
