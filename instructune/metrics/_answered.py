"""The text of an answer, for metrics that read texts whatever the references are."""

from __future__ import annotations

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer


def text_of(answer: Answer) -> str:
    """The prediction, which must be a text."""
    if not isinstance(answer.prediction, str):
        raise UserError(
            f"id {answer.row.get('id')!r}: prediction must be a text, got {answer.prediction!r}"
        )
    return answer.prediction
