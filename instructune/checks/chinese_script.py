"""The answer's Chinese is in simplified or in traditional characters, up to one in ten of these.

Characters that both scripts share say nothing; a Chinese text of nothing else passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from instructune.preparing.languages import is_simplified, is_traditional, scripts
from instructune.records import Record

_STRAY = 0.1  # names and quotations


@dataclass(frozen=True)
class Options:
    """Which script."""

    script: Literal["simplified", "traditional"]


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    if not scripts(answer)["Han"]:
        return "no Chinese characters"
    simplified = sum(map(is_simplified, answer))
    traditional = sum(map(is_traditional, answer))
    wrong = traditional if options.script == "simplified" else simplified
    if wrong > _STRAY * (simplified + traditional):
        return f"{wrong} characters are not {options.script}"
    return None
