"""So many parts highlighted in Markdown by asterisks: *so*, **so** or ***so***.

IFEval's verifier counts text between two bullet points or products (2 * 3 * 4) as one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record

_MARKED = re.compile(r"(?<![*\\])(\*{1,3})(?![\s*])[^*\n]*(?<!\s)\1(?!\*)")


@dataclass(frozen=True)
class Options(Bounds):
    """How many, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(sum(1 for _ in _MARKED.finditer(answer)), options, "highlights")
