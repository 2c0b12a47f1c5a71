"""Marks after a Chinese character are Chinese ones: ，。！？：；（） instead of ,.!?:;().

A dot between digits or letters, and marks within Latin text, are passed over; an answer without
any Chinese character fails.
"""

from __future__ import annotations

import re

from instructune.records import Record

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CHINESE = re.compile(f"[{_HAN}]")
_HALF = re.compile(rf"(?<=[{_HAN}])[^\S\n]?[,.!?:;()]|[,!?;(](?=[{_HAN}])")


def check(answer: str, record: Record, options: None) -> str | None:
    """Why the answer fails, or None."""
    if not _CHINESE.search(answer):
        return "no Chinese characters"
    found = _HALF.search(answer)
    return f"has the mark {found[0].strip()!r} beside Chinese" if found else None
