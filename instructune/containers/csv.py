"""Comma-separated values: quoted as in RFC 4180, the first row names the columns."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from instructune.containers._lines import Line, lines
from instructune.containers._table import Cells, TableOptions, table
from instructune.errors import usage
from instructune.jsonl import MAX_LINE, BadRow, Row

EXTENSIONS = (".csv",)
TEXT = True
_SPELLED = {"tab": "\t", "comma": ",", "space": " "}


@dataclass(frozen=True)
class Options(TableOptions):
    """`delimiter`: one character, or `tab`, `comma`, `space`."""

    delimiter: str = ","

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.mark) != 1 or self.mark in '"\r\n':
            reason = f"delimiter must be one character, got {self.delimiter!r}"
            raise usage(reason, where="--container csv")

    @property
    def mark(self) -> str:
        """The character between cells."""
        return _SPELLED.get(self.delimiter, self.delimiter)


def read(
    stream: BinaryIO, name: str, options: Options = Options()
) -> Iterator[Row | BadRow | None]:
    """Yield the rows, each at its first physical line; cells are texts, empty ones too.

    After a quote that is never closed properly, reading goes on in the next line.
    """
    return table(_rows(stream, options), name, options, "csv")


def _rows(stream: BinaryIO, options: Options) -> Iterator[Cells]:
    csv.field_size_limit(MAX_LINE)
    feed = _Feed(islice(lines(stream), options.skip, None))
    reader = csv.reader(feed, delimiter=options.mark, strict=True)
    while True:
        feed.taken = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Cells(feed.return_all_but_first(), [], f"not CSV ({error})")
        else:
            fault = next((line.fault for line in feed.taken if line.fault), "")
            yield Cells(feed.taken, cells, fault)


class _Feed:
    """Hands lines to the parser, remembers those of the row at hand, takes them back."""

    def __init__(self, source: Iterator[Line]) -> None:
        self.source = source
        self.taken: list[Line] = []
        self.returned: deque[Line] = deque()

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self.returned.popleft() if self.returned else next(self.source)
        self.taken.append(line)
        return line.text or "\n"  # for one too long to be kept

    def return_all_but_first(self) -> list[Line]:
        """Take back what a broken row swallowed; its first line."""
        self.returned.extendleft(reversed(self.taken[1:]))
        return self.taken[:1]
