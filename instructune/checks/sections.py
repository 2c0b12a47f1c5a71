"""So many sections, each headed by a marker and a number, such as SECTION 1.

A heading stands at the start of a line; its number may be a digit, a Roman or a Chinese one, and
counts once. IFEval's verifier also counts "section 3" in running text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from instructune.checks._bounds import Bounds, outside
from instructune.errors import usage
from instructune.records import Record

_NUMBER = re.compile(r"(?<![A-Za-z])X(?![A-Za-z])")  # the X of "SECTION X", not of "Text"


@dataclass(frozen=True, kw_only=True)
class Options(Bounds):
    """The marker, such as SECTION or 第X部分 (X is the number), and how many, inclusive."""

    marker: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.marker.strip():
            raise usage("marker is empty")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    numbers = {found[1].casefold() for found in _heading(options.marker).finditer(answer)}
    return outside(len(numbers), options, f"sections headed {options.marker!r}")


@lru_cache(maxsize=1000)
def _heading(marker: str) -> re.Pattern[str]:
    before, after = (_NUMBER.split(marker.strip(), maxsplit=1) + [""])[:2]
    number = r"(\d+|[ivxlc]+(?![^\W\d_])|[一二三四五六七八九十]+)"
    rest = re.escape(after.strip())
    return re.compile(
        rf"^[\W_]*{re.escape(before.strip())}\s*{number}\s*{rest}", re.MULTILINE | re.IGNORECASE
    )
