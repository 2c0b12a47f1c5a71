"""So many words in capitals, of two letters or more.

IFEval's verifier also counts "I" and "A", which are in capitals anyway.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record

_WORD = re.compile(r"[^\W\d_][\w'’-]*")


@dataclass(frozen=True)
class Options(Bounds):
    """How many, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(
        sum(word.isupper() and len(word) > 1 for word in _WORD.findall(answer)),
        options,
        "words in capitals",
    )
