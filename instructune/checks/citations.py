"""So many citations: [1], [2, 3], (Smith, 2020) or （王，2020）.

Each bracket counts once, whatever it names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record

_CITED = re.compile(
    r"\[\d{1,3}(?:\s*[-–,，]\s*\d{1,3})*\](?!\()"
    r"|[(（][^()（）\n]{1,80}?[,，]?\s*(?:1[5-9]|20)\d\d[a-z]?[)）]"
)


@dataclass(frozen=True)
class Options(Bounds):
    """How many, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(len(_CITED.findall(answer)), options, "citations")
