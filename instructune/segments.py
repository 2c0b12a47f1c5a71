"""Sentences, paragraphs, list items and occurrences of a word in a text, for checks to count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

# a letter or digit of a script that parts its words by spaces
_LETTER = r"[^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]"

_IS_LETTER = re.compile(_LETTER).match

# never the end of a sentence; the end of one if a capital follows
_INNER = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "vs",
        "e.g",
        "i.e",
        "cf",
        "fig",
        "p.s",
        "p.p.s",
        "approx",
    ]
)
_EITHER = frozenset(["etc", "inc", "ltd", "co", "jr", "sr", "no", "al", "ca", "dept", "est"])

_END = re.compile(
    r"(?P<stop>[.!?…]+)[\"'”’)\]*_]*(?=\s|$)"  # a dot inside a number or address is none
    r"|[。！？｡]+[”’」』）)\]*_]*|…{2,}"
    r"|\n[^\S\n]*\n"
    r"|\n(?=[^\S\n]*(?:[*+•-]|\d{1,3}[.)、]|#{1,6})[^\S\n])"
)
_TOKEN_BEFORE = re.compile(r"(\S+)$")
_HAS_WORD = re.compile(r"[^\W_]")
_BLANK = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_BULLET = re.compile(r"^[^\S\n]*(?:[-*+•·●○▪–][^\S\n]+|[•●○▪])(?=[^\s*_-])", re.MULTILINE)
_STARRED = re.compile(r"^[^\S\n]*[-*+•·●○▪–][^\S\n]+(?=\*{1,3}\S)", re.MULTILINE)


def sentences(text: str) -> list[str]:
    """The sentences of a text; a blank line, a list item and a heading end one too.

    Dots of abbreviations, initials, numbers and list numbers do not; lines of a poem without a
    mark at their end are one sentence up to the next mark.
    """
    found, start = [], 0
    for end in _END.finditer(text):
        if end["stop"] == "." and not _ends(text, end.start(), end.end()):
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if _HAS_WORD.search(sentence)]


def _ends(text: str, dot: int, after: int) -> bool:
    """Whether a single dot ends its sentence."""
    line = text[text.rfind("\n", 0, dot) + 1 : dot]
    token = (found[1] if (found := _TOKEN_BEFORE.search(line)) else "").lstrip("(\"'“‘[*_")
    if token.isdigit() and line.strip("* _#") == token:  # the number of a list item
        return False
    low = token.lower()
    if low in _INNER or (len(token) == 1 and token.isupper() and token != "I"):
        return False
    if low in _EITHER or re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", token):
        following = text[after:].lstrip()
        return not following or following[0].isupper()
    return True


def paragraphs(text: str, separator: str = "blank") -> list[str]:
    """The parts of a text between blank lines, line ends, or rules of `***` (stars)."""
    if separator == "stars":
        parts = starred(text, 3)
    elif separator == "line":
        parts = text.split("\n")
    else:
        parts = _BLANK.split(text)
    return [part.strip() for part in parts if _HAS_WORD.search(part)]


def starred(text: str, stars: int) -> list[str]:
    """The parts of a text between runs of exactly so many asterisks that stand alone."""
    return re.split(rf"(?<!\S)(?:\*{{{stars}}}|(?:\\\*){{{stars}}})(?!\S)", text)


def bullets(text: str) -> int:
    """How many lines are list items marked by a star, dash, plus or dot, not by a number."""
    return len(_BULLET.findall(text)) + len(_STARRED.findall(text))


def places(text: str, word: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """Where a word or phrase stands that is not part of a longer word, in any case and spacing.

    Chinese, Japanese and Korean have no spaces: there a word is found wherever it stands.
    """
    pattern = _spaced(word)
    while found := pattern.search(text, start):
        left, right = found.span()
        if _cuts(text, left) or _cuts(text, right):
            start = left + 1
        else:
            yield left, right
            start = right


@lru_cache(maxsize=4096)
def _spaced(word: str) -> re.Pattern[str]:
    # letters beside it are looked at apart: with their class in it, this takes 10 ms to compile
    return re.compile(r"\s+".join(map(re.escape, word.split())), re.IGNORECASE)


def _cuts(text: str, at: int) -> bool:
    """Whether a place in a text lies within a word."""
    return 0 < at < len(text) and bool(_IS_LETTER(text, at - 1) and _IS_LETTER(text, at))


def occurrences(text: str, word: str) -> int:
    """How often a word or phrase stands in a text."""
    return sum(1 for _ in places(_straight(text), word))


def contains(text: str, word: str) -> bool:
    """Whether a word or phrase stands in a text."""
    return any(True for _ in places(_straight(text), _straight(word)))


def _straight(text: str) -> str:
    """Typographic apostrophes and quotes as typed ones, so that both spellings are found."""
    return text.translate(_QUOTES)


_QUOTES = str.maketrans("’‘“”", "''\"\"")


def loosened(text: str) -> Iterator[str]:
    """The text, then without its first line, its last, both; each with and without asterisks.

    What IFEval calls loose: an opening remark, a closing one and markup are forgiven.
    """
    lines = text.split("\n")
    cuts = (lines, lines[1:], lines[:-1], lines[1:-1])
    for cut in ("\n".join(cut).strip() for cut in cuts):
        yield from (cut, cut.replace("*", ""))
