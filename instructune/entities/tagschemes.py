"""Entities marked by a tag a token: IOB1, IOB2, BIOES (also as BILOU, BMES), or as conlleval."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

Scheme = Literal["iob1", "iob2", "bioes", "conll"]

_TAG = re.compile(r"([BIEOSLUM])(?:[-_](.+))?", re.DOTALL)
_SAME = {"M": "I", "L": "E", "U": "S"}  # other letters for the marks of BIOES
_OUTSIDE = ("O", "")


class Span(NamedTuple):
    """Tokens from `start` up to but not including `end`, and what they name."""

    start: int
    end: int
    type: str


def detect(sequences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme of reference tags; ValueError where they mark no entities.

    Marks of an end or a single token make it BIOES; entities that begin with I-, none with B-
    where I- could stand, make it IOB1; all else is IOB2.
    """
    loose_i, plain_b = False, False
    for tags in sequences:
        before = _OUTSIDE
        for mark, kind in map(parted, tags):
            if mark in "ES":
                return "bioes"
            if mark == "I" and (before[0] == "O" or before[1] != kind):
                loose_i = True
            if mark == "B" and (before[0] == "O" or before[1] != kind):
                plain_b = True
            before = (mark, kind)
    return "iob1" if loose_i and not plain_b else "iob2"


@lru_cache(maxsize=4096)
def parted(tag: str) -> tuple[str, str]:
    """A tag's mark, in the letters of BIOES, and its type; ValueError for what is no such tag."""
    found = _TAG.fullmatch(tag)
    if not found or (found[1] == "O" and found[2]):
        raise ValueError(f"{tag!r} is no tag of an entity")
    return _SAME.get(found[1], found[1]), found[2] or ""


def spans(tags: Sequence[str], scheme: Scheme) -> list[Span]:
    """The entities of a row of tags, as seqeval's strict mode finds them; `conll` as conlleval.

    Strict: what does not begin, go on or end as the scheme has it is no entity. The conlleval
    rules (Tjong Kim Sang and Buchholz 2000) let an entity begin wherever a type does.
    """
    pairs = [*map(parted, tags), _OUTSIDE]
    if scheme == "conll":
        return _lenient(pairs)
    found, i, before = [], 0, _OUTSIDE
    while i < len(pairs):
        if not _begins(before, pairs[i], scheme):
            before = pairs[i]
            i += 1
            continue
        end = i + 1
        while end < len(pairs) and _goes_on(pairs[end - 1], pairs[end], scheme):
            end += 1
        if _ends(pairs[end - 1], pairs[end], scheme):
            found.append(Span(i, end, pairs[i][1]))
        before, i = pairs[end - 1], end
    return found


Pair = tuple[str, str]


def _begins(before: Pair, here: Pair, scheme: Scheme) -> bool:
    mark, same = here[0], before[1] == here[1]
    if scheme == "iob2":
        return mark == "B"
    if scheme == "bioes":
        return mark in "BS"
    if mark == "I":
        return before[0] in "OB" or (before[0] == "I" and not same)
    return mark == "B" and before[0] in "IB" and same


def _goes_on(before: Pair, here: Pair, scheme: Scheme) -> bool:
    inner = "IE" if scheme == "bioes" else "I"
    return before[0] in "BI" and here[0] in inner and before[1] == here[1]


def _ends(last: Pair, after: Pair, scheme: Scheme) -> bool:
    if scheme == "bioes":
        return last[0] in "SE"
    # IOB1's B- parts neighbours of one type; before another type it has no meaning
    return scheme == "iob2" or not (last[0] == after[0] == "B" and last[1] != after[1])


def _lenient(pairs: Sequence[Pair]) -> list[Span]:
    """Every run of marks of one type is an entity, parted by B and S, closed by E and S."""
    found: list[Span] = []
    start, before = -1, _OUTSIDE
    for i, here in enumerate(pairs):
        fresh = here[0] in "BS" or before[0] in "OES" or here[1] != before[1]
        if start >= 0 and (fresh or here[0] == "O"):
            found.append(Span(start, i, before[1]))
            start = -1
        if here[0] != "O" and fresh:
            start = i
        before = here
    return found


def tags_of(
    found: Iterable[Span], count: int, scheme: Literal["iob1", "iob2", "bioes"]
) -> list[str]:
    """A tag for each of `count` tokens; of spans that overlap the first is marked."""
    tags = ["O"] * count
    ended = ("", -1)  # the type of the span before, and where it ended
    for start, end, kind in sorted(found):
        if any(tag != "O" for tag in tags[start:end]):
            continue
        first = "I" if scheme == "iob1" and ended != (kind, start) else "B"
        tags[start:end] = [f"{first}-{kind}", *[f"I-{kind}"] * (end - start - 1)]
        if scheme == "bioes":
            tags[end - 1] = f"{'S' if end - start == 1 else 'E'}-{kind}"
        ended = (kind, end)
    return tags
