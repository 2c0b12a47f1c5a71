"""The answer starts with a given text, in any case; quotes and markup before it are passed over."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._edges import Text, bare
from instructune.records import Record


@dataclass(frozen=True)
class Options(Text):
    """What it starts with."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    if bare(answer).startswith(bare(options.text)):
        return None
    return f"does not start with {options.text!r}"
