"""A source cut into blocks of rows: lines that are still to be parsed, or rows as they come."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from instructune.files import shown
from instructune.jsonl import MAX_LINE, BadRow, Row, read_rows

_BYTES = 1 << 17  # of a block: enough to be worth a trip to a worker, little to hold
_ROWS = 256


@dataclass(frozen=True)
class Block:
    """Consecutive rows of the source `name`.

    Either `lines` of JSON, which follow `before` others, or `rows` that their container read.
    `wrap` is the name under which a line's value that is no object becomes a row.
    """

    name: str
    lines: bytes = b""
    before: int = 0
    wrap: str = ""
    rows: tuple[Row | BadRow | None, ...] = ()

    def __iter__(self) -> Iterator[Row | BadRow | None]:
        if not self.lines:
            return iter(self.rows)
        return read_rows(io.BytesIO(self.lines), shown(self.name), self.wrap, self.before)


def of_lines(stream: BinaryIO, name: str, wrap: str = "") -> Iterator[Block]:
    """Whole lines of `stream`, as many as are there: a slow pipe gives small blocks."""
    read = cast("io.BufferedReader[Any]", stream).read1
    before = 0
    while lines := read(_BYTES):
        if not lines.endswith(b"\n"):
            lines += _line_end(stream)
        yield Block(name, lines, before, wrap)
        before += lines.count(b"\n")


def _line_end(stream: BinaryIO) -> bytes:
    """The rest of a line; of one that is too long anyway, no more than shows it."""
    rest = stream.readline(MAX_LINE + 1)
    last = rest
    while last and not last.endswith(b"\n"):
        last = stream.readline(MAX_LINE)
    return rest if last is rest else rest + last[-1:]


def of_rows(rows: Iterable[Row | BadRow | None], name: str) -> Iterator[Block]:
    """Rows by the hundred, fewer where they are long."""
    gathered: list[Row | BadRow | None] = []
    size = 0
    for row in rows:
        gathered.append(row)
        size += len(row.text) if row else 0
        if size >= _BYTES or len(gathered) == _ROWS:
            yield Block(name, rows=tuple(gathered))
            gathered, size = [], 0
    if gathered:
        yield Block(name, rows=tuple(gathered))
