"""How many of what in Chinese: 不超过三句话, 300字左右, 五到七行, as inclusive bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "兩": 2, "〇": 0}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000, "萬": 10000}

NUMBER = r"(?:\d+|[一二两兩三四五六七八九十百千万萬〇零]+)"

_MAX = (
    r"不超过|不超過|不得超过|不要超过|不能超过|别超过|不多于|不多於|不得多于|不大于|至多|最多|不高于"
    r"|上限为?"
)
_MIN = r"不少于|不少於|不得少于|不能少于|不要少于|不低于|不低於|不小于|至少|最少|起码|起碼|不下"
_BELOW = r"少于|少於|低于|小于|不到|不足"
_ABOVE = r"超过|超過|多于|多於|大于|高于"
_ABOUT = r"大约|大約|约|約|大概|差不多"
_EXACT = r"正好|恰好|刚好|剛好|只用|仅用"

_REFERS = re.compile(r"(?:[这這那前后後第每各了]|以下|下面|下列|上面|上述|下述|另|的)\s*$")
_EACH = re.compile(r"每(?:[一个個条條句段行篇项項]|则|個)[^。；\n]{0,10}$")
_ASKED = re.compile(
    r"(?:[用以写寫成为為在分]|一?[篇首段]|给出|只写|不超过|控制在|限制在|总结成|概括为|回答)\s*$|[，。：、（(]\s*$|^\s*$"
)


class ZhQuantity(NamedTuple):
    """Inclusive bounds, how they were stated, and whether the words before ask for so many."""

    min: int | None
    max: int | None
    relation: str
    asked: bool
    evidence: str
    start: int

    def bounds(self, plain: str = "exact") -> dict[str, int]:
        """The bounds that are set; `plain="min"` where a bare number means at least."""
        most = None if self.relation == "plain" and plain == "min" else self.max
        return {k: v for k, v in (("min", self.min), ("max", most)) if v is not None}


def number(text: str) -> int:
    """The value of digits or of a Chinese numeral."""
    if text.isdigit():
        return int(text)
    total = section = digit = 0
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif _UNITS[character] == 10000:
            total, section, digit = (total + section + digit) * 10000, 0, 0
        else:
            section, digit = section + (digit or 1) * _UNITS[character], 0
    return total + section + digit


@lru_cache(maxsize=64)
def _pattern(unit: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:(?P<max>{_MAX})|(?P<min>{_MIN})|(?P<below>{_BELOW})|(?P<above>{_ABOVE})"
        rf"|(?P<about>{_ABOUT})|(?P<exact>{_EXACT}))?\s*(?:是|为|在|用)?\s*"
        rf"(?P<n>{NUMBER})\s*(?:字|句|段|行)?\s*(?:[-~—–～到至]+\s*(?P<m>{NUMBER}))?\s*(?:{unit})"
        r"\s*(?:(?P<max_after>以内|以內|之内|之內|内|內|以下|为限|封顶)|(?P<min_after>以上|及以上|或以上|起)"
        r"|(?P<about_after>左右|上下))?"
    )


def quantities(text: str, unit: str, *, shared: bool = False) -> Iterator[ZhQuantity]:
    """Every number of such units, but for references (这两句话) and those of each part (每句).

    With `shared` those of each part are there as well.
    """
    for match in _pattern(unit).finditer(text):
        before = text[max(0, match.start() - 16) : match.start()]
        if not shared and (_REFERS.search(before) or _EACH.search(before)):
            continue
        relation = next((n for n in ("max", "min", "about") if match[f"{n}_after"]), None)
        relation = relation or next(
            (n for n in ("max", "min", "below", "above", "about", "exact") if match[n]), "plain"
        )
        n = number(match["n"])
        asked = bool(_ASKED.search(before))
        if match["m"]:
            m = number(match["m"])
            yield ZhQuantity(min(n, m), max(n, m), "range", True, match.group(), match.start())
            continue
        least = {"max": None, "below": None, "above": n + 1}.get(relation, n)
        most = {"min": None, "above": None, "below": max(n - 1, 0)}.get(relation, n)
        yield ZhQuantity(least, most, relation, asked, match.group(), match.start())
