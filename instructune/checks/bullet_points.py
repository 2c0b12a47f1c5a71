"""So many list items marked by a star, a dash or a dot.

IFEval's verifier also counts rules (`---`) and emphasised lines (`*so*`).
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record
from instructune.segments import bullets


@dataclass(frozen=True)
class Options(Bounds):
    """How many, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(bullets(answer), options, "bullet points")
