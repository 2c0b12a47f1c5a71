"""So many paragraphs, parted by blank lines, by line ends or by rules of three asterisks.

IFEval's verifier also cuts inside ****** and ***emphasis***.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record
from instructune.segments import paragraphs


@dataclass(frozen=True)
class Options(Bounds):
    """How many, inclusive, and what parts them."""

    separator: Literal["blank", "line", "stars"] = "blank"


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(len(paragraphs(answer, options.separator)), options, "paragraphs")
