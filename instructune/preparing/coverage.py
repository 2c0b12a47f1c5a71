"""How many rows of each task, kind, language and length, and which combinations have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from instructune.preparing.languages import identify
from instructune.records import Record
from instructune.texts import prompt_of, words

FIELDS = ("task", "kind", "language", "length")
NONE = "none"  # a field that the row does not say
_BUCKETS = (10, 50, 200, 1000)  # words of the prompt, each bound exclusive

Cell = tuple[str, str, str, str]


class Coverage(NamedTuple):
    """Counted combinations, the most frequent first, and those of seen values without a row."""

    rows: list[dict[str, Any]]
    gaps: list[dict[str, str]]


class Counted:
    """Counts records as they pass: `Counted().add(record)`, then `.coverage()`."""

    def __init__(self) -> None:
        self._cells: Counter[Cell] = Counter()

    def add(self, record: Record, language: str | None = None) -> None:
        """Count a record; one of several kinds counts under their names joined by +.

        `language` spares finding it out where the caller has.
        """
        kind = record.get("kind") or NONE
        kinds = (
            kind
            if isinstance(kind, str)
            else "+".join(sorted(kind, key=_ORDER.__getitem__)) or NONE
        )
        prompt = prompt_of(record)
        language = language or record.get("language") or identify(prompt) or NONE
        self._cells[str(record.get("task") or NONE), kinds, str(language), _bucket(prompt)] += 1

    def coverage(self) -> Coverage:
        """The table so far; equal counts in the order of their names."""
        ordered = sorted(self._cells.items(), key=lambda pair: (-pair[1], _key(pair[0])))
        rows = [dict(zip(FIELDS, cell, strict=True)) | {"rows": n} for cell, n in ordered]
        return Coverage(rows, [dict(zip(FIELDS, cell, strict=True)) for cell in self._gaps()])

    def _gaps(self) -> Iterator[Cell]:
        values = [sorted({cell[i] for cell in self._cells}) for i in range(3)]
        lengths = sorted({cell[3] for cell in self._cells}, key=_LENGTHS.index)
        for task, kind, language, length in product(*values, lengths):
            cell = (task, kind, language, length)
            if cell not in self._cells:
                yield cell


_ORDER: Mapping[str, int] = {"task": 0, "constraint": 1, "demonstration": 2}
_LENGTHS = [
    f"{low}-{high - 1} words" for low, high in zip((0, *_BUCKETS), _BUCKETS, strict=False)
] + [f"{_BUCKETS[-1]}+ words"]


def _bucket(prompt: str) -> str:
    """The bucket of a prompt's length in words, of Chinese in characters."""
    count = len(words(prompt))
    return _LENGTHS[sum(count >= bound for bound in _BUCKETS)]


def _key(cell: Cell) -> tuple[str, str, str, int]:
    return (*cell[:3], _LENGTHS.index(cell[3]))
