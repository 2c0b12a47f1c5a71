"""Puts a blank between words of text without blanks, for encoders that split on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from instructune.extras import extra
from instructune.preparing.editing import Edit, replaced
from instructune.records import Record
from instructune.texts import words


@dataclass(frozen=True)
class Options:
    """`by=words` cuts Chinese by the sign, other scripts by the word; `by=jieba` by its lexicon."""

    by: Literal["words", "jieba"] = "words"


class Transform:
    """Only `text` and `texts`: chats are for models that have a tokenizer of their own."""

    def __init__(self, options: Options) -> None:
        self._cut: Callable[[str], Iterator[int]] = _between_words
        if options.by == "jieba":
            jieba = extra("jieba", None, "--transform segment:by=jieba")
            jieba.setLogLevel("WARNING")  # it would tell of its cache on stderr
            self._cut = lambda text: (start for _, start, _ in jieba.tokenize(text))

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record with blanks between its words."""
        if "text" not in record and "texts" not in record:
            return [record]
        new = replaced(record, self._blanks)
        if new is not record:
            changes["words set apart"] += 1
        return [new]

    def _blanks(self, text: str) -> list[Edit]:
        if text.isascii():
            return []
        return [
            Edit(at, at, " ")
            for at in self._cut(text)
            if at and not text[at].isspace() and not text[at - 1].isspace()
            if not (text[at].isascii() and text[at - 1].isascii())
        ]


def _between_words(text: str) -> Iterator[int]:
    """Where a word begins or has just ended."""
    at = last = 0
    for word in words(text):
        start = text.index(word, at)
        if start != last:
            yield last
        yield start
        at = last = start + len(word)
    if last < len(text):
        yield last
