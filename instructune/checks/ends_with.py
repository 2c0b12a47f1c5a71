"""The answer ends with a given text, in any case; quotes and markup after it are passed over."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._edges import Text, bare
from instructune.records import Record


@dataclass(frozen=True)
class Options(Text):
    """What it ends with."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    if bare(answer).endswith(bare(options.text)):
        return None
    return f"does not end with {options.text!r}"
