"""Drops rows that hold words of a user's list: whole words, Chinese terms anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from instructune.filters._sides import sides
from instructune.preparing.wordlists import Terms, lines_of
from instructune.records import Record
from instructune.texts import all_text


@dataclass(frozen=True)
class Options:
    """`file`: one term a line. More than `most` of them, repeats included, and the row goes."""

    file: str
    most: int = 0
    side: Literal["prompt", "answer", "both", "all"] = "all"


class Filter:
    """`all` looks at rejected endings and negatives, too."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._terms = Terms(lines_of(options.file, "--filter words"))

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        if self._options.side == "all":
            texts = [all_text(record)]
        else:
            texts = [text for _, text in sides(record, self._options.side)]
        if sum(map(self._terms.count, texts)) > self._options.most:
            return f"more than {self._options.most} listed words"
        return None
