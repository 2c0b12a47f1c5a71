"""So many placeholders in square brackets, such as [name].

IFEval's verifier also counts empty brackets, check boxes and the text of Markdown links.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record

_PLACEHOLDER = re.compile(r"\[(?=[^\[\]\n]*[^\W_])(?!x\])[^\[\]\n]+\](?!\()", re.IGNORECASE)


@dataclass(frozen=True)
class Options(Bounds):
    """How many, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(len(_PLACEHOLDER.findall(answer)), options, "placeholders")
