"""So many numbered list items, such as 1. 2) (3) 4、 一、 or （二）, one a line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.checks._bounds import Bounds, outside
from instructune.records import Record

_HAN = "[一二三四五六七八九十]{1,3}"
_ITEM = re.compile(
    rf"^[^\S\n]*[*_]{{0,3}}(?:\d{{1,3}}(?:[.)][^\S\n]|[、）．])|[(（](?:\d{{1,3}}|{_HAN})[)）]|{_HAN}、)"
    r"[*_]{0,3}[^\S\n]*[^\W_]",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Options(Bounds):
    """How many, inclusive."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return outside(len(_ITEM.findall(answer)), options, "numbered items")
