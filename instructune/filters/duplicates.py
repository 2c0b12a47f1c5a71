"""Drops repeated rows: equal ones, and with near=0.8 those that share most of their words."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from instructune.errors import usage
from instructune.preparing.neighbours import Neighbours, jaccard
from instructune.reading.spool import Spool
from instructune.reading.steps import Reason
from instructune.records import Record
from instructune.texts import answer_of, normalised, prompt_of


@dataclass(frozen=True)
class Options:
    """What is compared, and which row of a cluster stays.

    `near` is the least Jaccard similarity of word n-grams; without it only rows that are equal
    but for case, width and blanks are duplicates. `keep` is `first` or `longest` (the longest
    answer, of equal ones the first).
    """

    on: Literal["both", "prompt", "answer"] = "both"
    near: float | None = None
    ngram: int = 3
    keep: Literal["first", "longest"] = "first"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.near is not None and not 0.3 <= self.near <= 1:
            raise usage("must be from 0.3 to 1", where="--filter duplicates:near")
        if self.ngram < 1:
            raise usage("must be at least 1", where="--filter duplicates:ngram")


class Filter:
    """Clusters rows; all but one of each are duplicates of that one.

    The first of equal rows can be told as they come; for all else every row must be seen before.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.whole = options.near is not None or options.keep != "first"
        near = options.near
        self._near = Neighbours(near, options.ngram, options.seed) if near else None
        self._stays: dict[bytes, str] = {}
        self._keys: dict[bytes, int] = {}
        self._firsts: list[int] = []
        self._lengths: list[int] = []
        self._ids: list[str] = []

    def key(self, record: Record) -> tuple[bytes, str]:
        """The hash of what is compared, and the record's id."""
        return _key(self._text(record)), record["id"]

    def answer(self, keys: Sequence[tuple[bytes, str]]) -> list[Reason | None]:
        """Why the next records are dropped, None for the first of its kind."""
        stays = [self._stays.setdefault(key, name) for key, name in keys]
        return [
            None if first == name else Reason("duplicate", duplicate_of=first)
            for first, (_, name) in zip(stays, keys, strict=True)
        ]

    def glean(self, records: Sequence[Record]) -> Any:
        """Of each record the hash of what is compared, its id and length; and all signatures."""
        texts = [self._text(record) for record in records]
        rows = [
            (_key(text), record["id"], len(answer_of(record) or ""))
            for text, record in zip(texts, records, strict=True)
        ]
        return rows, self._near.sign(texts) if self._near else None

    def see(self, gleaned: Any) -> None:
        """Take in the next rows."""
        rows, signatures = gleaned
        for key, name, length in rows:
            self._firsts.append(self._keys.setdefault(key, len(self._firsts)))
            self._ids.append(name)
            self._lengths.append(length)
        if self._near:
            self._near.add(signatures)

    def reasons(self, rows: Spool) -> dict[int, Reason]:
        """Why rows are dropped, by number; each reason names the row that stays."""
        roots, found = self._firsts, dict[int, Reason]()
        if self._near:
            joined = self._near.clusters(lambda number: self._text(rows[number]))
            roots = [joined[first] for first in self._firsts]
        for members in _clusters(roots):
            stays = members[0]
            if self.options.keep == "longest":
                stays = max(members, key=lambda number: (self._lengths[number], -number))
            found |= self._of_cluster(stays, members, rows)
        return found

    def _of_cluster(self, stays: int, members: list[int], rows: Spool) -> dict[int, Reason]:
        """Near duplicates are told how near they are to the row that stays."""
        found, kept = {}, self._ids[stays]
        shingles: set[tuple[str, ...]] | None = None
        for number in members:
            if self._firsts[number] == self._firsts[stays]:
                if number != stays:
                    found[number] = Reason("duplicate", duplicate_of=kept)
            elif self._near:
                shingles = shingles or self._near.shingles(self._text(rows[stays]))
                near = jaccard(shingles, self._near.shingles(self._text(rows[number])))
                found[number] = Reason("near duplicate", duplicate_of=kept, jaccard=round(near, 4))
        return found

    def _text(self, record: Record) -> str:
        answer = answer_of(record) or ""
        on = self.options.on
        if on == "both":
            return f"{prompt_of(record)}\n{answer}"
        return prompt_of(record) if on == "prompt" else answer


def _key(text: str) -> bytes:
    return hashlib.blake2b(normalised(text).encode(), digest_size=16).digest()


def _clusters(roots: Iterable[int]) -> Iterable[list[int]]:
    """The members of each cluster that has several, in order."""
    members: dict[int, list[int]] = defaultdict(list)
    for number, root in enumerate(roots):
        members[root].append(number)
    return (cluster for cluster in members.values() if len(cluster) > 1)
