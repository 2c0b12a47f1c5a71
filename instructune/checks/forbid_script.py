"""No characters of these kinds: Latin letters, digits, Chinese characters or emoji.

Full-width letters and digits count as such; 一二三 are Chinese characters, not digits. Signs such
as ★ and ✓ count as emoji, arrows and mathematical signs do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from instructune.errors import usage
from instructune.records import Record

Kind = Literal["latin", "digits", "chinese", "emoji"]

_KINDS: dict[str, re.Pattern[str]] = {
    "latin": re.compile(
        "[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
        "\uff21-\uff3a\uff41-\uff5a]"
    ),
    "digits": re.compile(r"\d"),
    "chinese": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"),
    "emoji": re.compile("[\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff]"),
}


@dataclass(frozen=True)
class Options:
    """Which kinds: latin, digits, chinese, emoji."""

    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.kinds:
            raise usage("kinds must be named")
        for kind in self.kinds:
            if kind not in get_args(Kind):
                raise usage(f"kinds must be any of {', '.join(get_args(Kind))}, got {kind!r}")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    for kind in options.kinds:
        if found := _KINDS[kind].search(answer):
            return f"has {kind}, such as {found[0]!r}"
    return None
