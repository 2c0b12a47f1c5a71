"""A list of words in a prompt: quoted, in brackets, or bare, parted by commas, and, or."""

from __future__ import annotations

import re
from typing import NamedTuple


class Listed(NamedTuple):
    """The items, and where the list ends."""

    items: list[str]
    end: int


_QUOTED = re.compile(r"[\"'«`]([^\"\n]{1,80}?)[.,;]?[\"'»`](?![\w])")
_BARE = re.compile(r"([^\W_][\w'-]*(?:\.[\w]+)*)")
_SEPARATOR = r"\s*(?:,?\s*\b(?:and|or)\b|,|&|/|、|;)\s*(?:(?:and|or)\s+)?"
_STOPS = re.compile(
    r"(?:the|a|an|in|at|to|that|which|it|is|are|be|your|must|should|also|do|don't|make|please|for|"
    r"with|use|include|response|answer|keep|write|not|any|of|each|have|i|you|then|finally)$",
    re.IGNORECASE,
)


_OPENING = re.compile(r"\s*[\[(]?\s*")
_AGAIN = re.compile(r"(?:the\s+)?(?:word|keyword|phrase)s?\s+", re.IGNORECASE)


def quoted_list(
    text: str, start: int, *, bare: bool = False, separators: str = _SEPARATOR
) -> Listed:
    """The list that begins at `start`; with `bare`, words without quotes count as items too.

    Its items are all in quotes or all without.
    """
    separator = re.compile(separators, re.IGNORECASE)
    opening = _OPENING.match(text, start)
    place = opening.end() if opening else start
    quotes = _QUOTED.match(text, place) is not None
    items, end = [], start
    while quotes or bare:
        match = (_QUOTED if quotes else _BARE).match(text, place)
        item = match[1] if match else ""
        if match is None or (not quotes and _STOPS.match(item)):
            break
        items.append(item.strip())
        end = match.end()
        gap = separator.match(text, end)
        if gap is None:
            break
        place = again.end() if (again := _AGAIN.match(text, gap.end())) else gap.end()
    return Listed(items, end)
