"""Which texts of a record a filter looks at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from instructune.records import Record
from instructune.texts import answer_of, prompt_of

Side = Literal["prompt", "answer", "both"]


def sides(record: Record, side: Side) -> Iterator[tuple[str, str]]:
    """`(name, text)` of what is asked and answered; a body that asks nothing is a "text"."""
    answer = answer_of(record) if "messages" in record or "references" in record else None
    alone = answer is None and "messages" not in record
    if side != "answer" or alone:
        yield "text" if alone else "prompt", prompt_of(record)
    if side != "prompt" and answer is not None:
        yield "answer", answer
