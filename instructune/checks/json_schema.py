"""The whole answer is JSON, bare or in a Markdown fence, that fits a JSON Schema.

The common keywords; a schema with any other is refused, so that none is silently ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instructune.checks._json import parsed
from instructune.checks._schema import fault, refuse_unknown
from instructune.records import Record
from instructune.timelimit import OutOfTime, within

_SECONDS = 1.0  # a pattern of the schema may never end


@dataclass(frozen=True)
class Options:
    """The schema, as an object."""

    schema: dict[str, Any]

    def __post_init__(self) -> None:
        refuse_unknown(self.schema, "schema")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    try:
        value = parsed(answer)
    except ValueError as error:
        return f"not valid JSON: {error}"
    try:
        return within(_SECONDS, lambda: fault(value, options.schema, "the answer"))
    except OutOfTime:
        return f"the schema's patterns took longer than {_SECONDS:g} s"
