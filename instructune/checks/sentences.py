"""So many sentences, English and Chinese marks alike.

IFEval's verifier splits at abbreviations it does not know and runs list items together; here
abbreviations, initials and numbers do not end a sentence, blank lines and list items do.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record
from instructune.segments import sentences


@dataclass(frozen=True)
class Options(Bounds):
    """How many, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(len(sentences(answer)), options, "sentences")
