"""Drops rows that repeat themselves: lines, runs of words, or one letter without end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from instructune.errors import usage
from instructune.filters._sides import Side, sides
from instructune.records import Record
from instructune.texts import words

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.S)


@dataclass(frozen=True)
class Options:
    """Shares from 0 to 1; 1 allows all.

    `max_lines`: of lines (longer than a few signs) that were there before. `max_ngrams`: of runs
    of `n` words (Chinese: signs) that were. Both want `min_words` to judge by. `max_run`: how
    often one letter may follow itself.
    """

    side: Side = "answer"
    max_lines: float = 0.3
    max_ngrams: float = 0.3
    n: int = 6
    min_words: int = 30
    max_run: int = 20

    def __post_init__(self) -> None:
        if self.n < 1 or self.max_run < 1:
            raise usage("n and max_run must be at least 1", where="--filter repetition")


class Filter:
    """The cheapest look first."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._run = re.compile(rf"([^\W\d_])\1{{{options.max_run},}}")

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        return next(
            (
                f"{name} {reason}"
                for name, text in sides(record, self._options.side)
                if (reason := self._reason(text))
            ),
            None,
        )

    def _reason(self, text: str) -> str | None:
        if self._run.search(text):
            return "repeats a letter"
        if len(text) < self._options.min_words:
            return None
        if self._options.max_lines < 1 and text.count("\n") > 2:
            prose = _FENCED.sub("", text)  # code closes its blocks with equal lines
            lines = [line.strip() for line in prose.split("\n") if len(line.strip()) > 5]
            if _repeated(lines) > self._options.max_lines and len(lines) > 3:
                return "repeats lines"
        if self._options.max_ngrams < 1:
            found = words(text.casefold())
            if len(found) >= self._options.min_words:
                shifted = (found[i:] for i in range(self._options.n))
                if _repeated(list(zip(*shifted, strict=False))) > self._options.max_ngrams:
                    return "repeats itself"
        return None


def _repeated(items: list[Any]) -> float:
    return 1 - len(set(items)) / len(items) if items else 0.0
