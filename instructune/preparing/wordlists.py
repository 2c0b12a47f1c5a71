"""Word lists that users bring: one term a line; words matched whole, Chinese anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from instructune.errors import usage
from instructune.files import open_input

_RUN = re.compile(r"\w+(?:['’-]\w+)*")
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_JOINT = re.compile(rf"['’\-{_CJK}]")
_PART = re.compile(rf"[^\W{_CJK}]+")
_UNSPACED = re.compile(f"[{_CJK}]")


def lines_of(name: str, where: str) -> list[str]:
    """The lines of a UTF-8 file without edge blanks; empty ones and `# comments` left out."""
    with open_input(name) as source:
        try:
            text = source.stream.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise usage(f"{where}: not UTF-8 (byte {error.start})", where=name) from None
    found = [line.strip() for line in text.split("\n")]
    found = [line for line in found if line and line != "#" and not line.startswith("# ")]
    if not found:
        raise usage(f"{where}: holds no terms", where=name)
    return found


def pairs_of(name: str, where: str) -> list[tuple[str, list[str]]]:
    """The lines of a tab-separated file: a term and what follows it, nothing empty."""
    made = []
    for line in lines_of(name, where):
        first, *rest = (part.strip() for part in line.split("\t"))
        if not first or not rest or not all(rest):
            raise usage(f"{where}: expected term<TAB>term, got {line[:60]!r}", where=name)
        made.append((first, rest))
    return made


class Terms:
    """A list to look for: words by themselves whatever their case, Chinese within any text."""

    def __init__(self, terms: list[str]) -> None:
        folded = dict.fromkeys(term.casefold() for term in terms)
        self._inside = tuple(term for term in folded if _UNSPACED.search(term))
        spaced = [term for term in folded if not _UNSPACED.search(term)]
        self._words = frozenset(term for term in spaced if _RUN.fullmatch(term))
        self._phrases = tuple(term for term in spaced if term not in self._words)
        longest = sorted(self._inside + self._phrases, key=lambda term: (-len(term), term))
        bounded = (
            re.escape(term) if term in self._inside else rf"(?<!\w){re.escape(term)}(?!\w)"
            for term in longest
        )
        self._pattern = re.compile("|".join(bounded), re.I) if longest else None

    def count(self, text: str) -> int:
        """How many of the list's terms stand in the text, each counted as often as it does."""
        return sum(1 for _ in self.spans(text))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the terms stand, in no order; a phrase and a word in it may overlap."""
        if self._words:
            for found in _RUN.finditer(text):
                if found[0].casefold() in self._words:
                    yield found.span()
                elif _JOINT.search(found[0]):
                    yield from self._parts(found)
        if self._pattern and self._likely(text.casefold()):
            for found in self._pattern.finditer(text):
                yield found.span()

    def _parts(self, run: re.Match[str]) -> Iterator[tuple[int, int]]:
        """Words joined by hyphens, before an 's, or with Chinese letters right beside them."""
        for part in _PART.finditer(run[0]):
            if part[0].casefold() in self._words:
                yield run.start() + part.start(), run.start() + part.end()

    def _likely(self, folded: str) -> bool:
        return any(term in folded for term in self._inside + self._phrases)
