"""How many of what: "at least three", "no more than 50", "5 to 7", as inclusive bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen",
    "fifteen sixteen seventeen eighteen nineteen",
)
_TENS = ("twenty thirty forty fifty", "sixty seventy eighty ninety")
_VALUES = {word: n for n, word in enumerate(" ".join(_ONES).split())}
_VALUES |= {word: 10 * n for n, word in enumerate(" ".join(_TENS).split(), 2)}
_VALUES |= {"a single": 1, "a hundred": 100, "one hundred": 100, "a thousand": 1000}
_VALUES |= {"a dozen": 12, "a couple of": 2, "two hundred": 200, "three hundred": 300}

NUMBER = (
    r"(?:\d{1,3}(?:,\d{3})+|\d+|(?:"
    + "|".join(sorted((w.replace(" ", r"\s+") for w in _VALUES), key=len, reverse=True))
    + r")\b)"
)

# the first that matches decides; each gives bounds from n
_BEFORE = {
    "max": r"(?:not|\w*n't|no|never|cannot)\b[^.;!?\n]{0,30}?\b(?:longer|more|greater) than"
    r"|not (?:to )?exceed(?:ing)?|at most|(?:a )?max(?:imum)?\.?(?: of)?|up to|within|limited to"
    r"|no more than",
    "min": r"at least|at minimum|(?:a )?min(?:imum)?\.?(?: of)?|not? (?:fewer|less) than",
    "below": r"(?:less|fewer|shorter|smaller) than|under|below",
    "above": r"(?:more|greater|longer) than|over|exceeding",
    "about": r"about|around|approximately|roughly|some|circa|~",
    "exact": r"exactly|precisely|only|just",
}
_AFTER = {
    "min": r"\+|\s*(?:or|and) (?:more|longer|above)|,? (?:at )?minimum|,? at least",
    "max": r"\s*(?:or|and) (?:less|fewer|under|shorter|below)|,? max(?:imum)?\b|,? at most"
    r"|,? tops",
}
RELATION = "|".join(f"(?P<{name}>{words})" for name, words in _BEFORE.items())
_POST = "|".join(f"(?P<{name}_after{{0}}>{words})" for name, words in _AFTER.items())

# words that may stand between a number and what is counted
_NO_ADJECTIVES = "of|in|and|to|the|for|with|that|or|words?|from|is|are|at|new|blank|example"
_ADJECTIVES = rf"(?:(?!(?:{_NO_ADJECTIVES})\b)[a-z-]+\s+)"


class Quantity(NamedTuple):
    """Inclusive bounds, whether a relation was stated, and where it stands."""

    min: int | None
    max: int | None
    relation: str
    start: int
    end: int

    def bounds(self, plain: str = "exact") -> dict[str, int]:
        """The bounds that are set; `plain="min"` where a bare number means at least."""
        least, most = self.min, self.max
        if self.relation == "plain" and plain == "min":
            most = None
        return {k: v for k, v in (("min", least), ("max", most)) if v is not None}


def number(text: str) -> int:
    """The value of a number in digits or words, as `NUMBER` matches it."""
    low = " ".join(text.lower().split())
    return _VALUES[low] if low in _VALUES else int(low.replace(",", ""))


@lru_cache(maxsize=64)
def _pattern(unit: str, adjectives: int) -> re.Pattern[str]:
    return re.compile(
        rf"(?:\b(?:{RELATION})\s+)?(?:a total of\s+)?(?:between\s+)?"
        rf"(?<![\w.$£€])(?P<n>{NUMBER})(?:\s*(?:to|-|–|and|or)\s*(?P<m>{NUMBER}))?"
        rf"(?:{_POST.format(1)})?(?:\s+|(?P<hyphen>-\s?))"
        rf"{_ADJECTIVES}{{0,{adjectives}}}?(?P<unit>{unit})\b(?:{_POST.format(2)})?",
        re.IGNORECASE,
    )


@lru_cache(maxsize=64)
def _unit(unit: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){unit}\b", re.IGNORECASE)


@lru_cache(maxsize=64)
def _reversed(unit: str) -> re.Pattern[str]:
    return re.compile(
        rf"number of (?P<unit>{unit})\b[^.;!?\n]{{0,60}}?\b"
        rf"(?:(?:{RELATION})\s+|(?:in the )?range (?:of|from) |between |is |be |to )"
        rf"(?P<n>{NUMBER})(?:\s*(?:to|-|–|and)\s*(?P<m>{NUMBER}))?",
        re.IGNORECASE,
    )


_DISTRIBUTED = re.compile(r"\b(?:each|every|per)\b(?! separated)[^.;!?\n]{0,40}$", re.IGNORECASE)
_EACH = re.compile(r",? each\b(?! separated)|[^.;!?\n]{0,30} for (?:each|every)\b", re.IGNORECASE)
_POINTED = re.compile(
    r"\b(?:the|these|those|first|last|next|following|above|previous|other)\s*$", re.IGNORECASE
)


_OF_EACH = (  # what stands before the number of what each part has
    r"\b(?:each|every|all|any|no)\s+(?:of\s+)?(?:(?:the|your|its|single)\s+)*{0}s?\b[^.;!?\n]{{0,60}}$"
    r"|\b{0}s\s+(?:of|(?:that|which)\s+(?:are|have|contain)|(?:must|should|may)\s+(?:be|have|contain)"
    r"|(?:no|not)\s+(?:longer|more)\s+than|shorter\s+than|under|below)\b[^.;!?\n]{{0,30}}$"
    r"|\bkeep\s+(?:the\s+|your\s+)?{0}s?\b[^.;!?\n]{{0,30}}$"
)
_FOR_EACH = r"\s*(?:or (?:less|fewer|more)\s+)?(?:per|a|an|in each|in every|for each|to a)\s+{0}\b"


def of_each(text: str, quantity: Quantity, part: str) -> bool:
    """Whether it is what each such part has: "each line has 5 words", "5 words per line"."""
    before = text[max(0, quantity.start - 60) : quantity.end]
    said = re.search(_OF_EACH.format(part), before, re.IGNORECASE)
    return bool(said or re.match(_FOR_EACH.format(part), text[quantity.end :], re.IGNORECASE))


def quantities(
    text: str, unit: str, adjectives: int = 2, *, shared: bool = False
) -> Iterator[Quantity]:
    """Every number of such units, "number of units … n" too; not those of each part of something.

    `unit` is a regular expression. "these two sentences" is a reference, no quantity. With
    `shared` those of each part are there as well.
    """
    end_of_last = 0
    for start, end in _around(text, unit):
        for pattern in (_pattern(unit, adjectives), _reversed(unit)):
            for match in pattern.finditer(text, max(start, end_of_last), end):
                before = text[max(0, match.start() - 60) : match.start()]
                each = _DISTRIBUTED.search(before) or _EACH.match(text, match.end())
                if each and not shared:
                    continue
                if _POINTED.search(before) and "number of" not in match.group():
                    continue
                end_of_last = match.end()
                m = number(match["m"]) if match["m"] else None
                yield bounded(match, number(match["n"]), m)


def _around(text: str, unit: str) -> Iterator[tuple[int, int]]:
    """The stretches of text in which a unit is named; the whole pattern is slow elsewhere."""
    start = end = -1
    for match in _unit(unit).finditer(text):
        left, right = max(0, match.start() - _NEAR), match.end() + _NEAR
        if left <= end:
            end = right
            continue
        if start >= 0:
            yield start, end
        start, end = left, right
    if start >= 0:
        yield start, end


_NEAR = 90  # characters in which the number of a unit is said


def bounded(match: re.Match[str], n: int, m: int | None = None) -> Quantity:
    """The bounds of a number whose relation is in one of the match's named groups."""
    groups = match.groupdict()
    after = (name.partition("_after") for name, said in groups.items() if said)
    stated = next((name for name in _BEFORE if groups.get(name)), "plain")
    relation = next((name for name, mark, _ in after if mark), stated)
    start, end = match.span()
    if m is not None and relation not in ("min", "max"):
        return Quantity(min(n, m), max(n, m), "range", start, end)
    least, most = {
        "max": (None, n),
        "min": (n, None),
        "below": (None, max(n - 1, 0)),
        "above": (n + 1, None),
        "about": (n, n),
    }.get(relation, (n, n))
    return Quantity(least, most, relation, start, end)


_TIMES = re.compile(
    rf"(?:\b(?:{RELATION})\s+)?(?:for\s+)?(?:\b(?:{RELATION.replace('?P<', '?P<also_')})\s+)?"
    rf"(?:(?P<once>once|twice|thrice)|(?P<n>{NUMBER})(?:\s*(?:to|-|–|and|or)\s*(?P<m>{NUMBER}))?"
    rf"\s+(?:or (?P<more>more|less|fewer) )?times?)\b"
    rf"(?:{_POST.format(1)})?",
    re.IGNORECASE,
)
_ADVERBS = {"once": 1, "twice": 2, "thrice": 3}


def times(text: str, start: int, end: int) -> Quantity | None:
    """The first "at least twice", "less than 5 times" or "3 to 5 times" of text[start:end]."""
    match = _TIMES.search(text, start, end)
    if match is None:
        return None
    once = match["once"]
    n = _ADVERBS[once.lower()] if once else number(match["n"])
    quantity = bounded(match, n, number(match["m"]) if match["m"] else None)
    also = next((name for name in _BEFORE if match[f"also_{name}"]), None)
    if quantity.relation == "plain" and (also or match["more"]):
        named = also or ("min" if match["more"].lower() == "more" else "max")
        least = {"min": n, "above": n + 1, "exact": n, "about": n}.get(named)
        most = {"max": n, "below": n - 1, "exact": n, "about": n}.get(named)
        return Quantity(least, most, named, match.start(), match.end())
    return quantity
