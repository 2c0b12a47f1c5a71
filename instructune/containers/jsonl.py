"""JSON lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from instructune.jsonl import BadRow, Row, read_rows
from instructune.reading.blocks import Block, of_lines

EXTENSIONS = (".jsonl", ".ndjson")
TEXT = False


@dataclass(frozen=True)
class Options:
    """`wrap`: the name under which a value that is no object becomes a row."""

    wrap: str = ""


def read(
    stream: BinaryIO, name: str, options: Options = Options()
) -> Iterator[Row | BadRow | None]:
    """Yield the rows of `stream`; bad lines come as BadRow, blank ones as None."""
    return read_rows(stream, name, options.wrap)


def blocks(stream: BinaryIO, name: str, options: Options = Options()) -> Iterator[Block]:
    """The same rows in blocks of lines, which need not be parsed where they are read."""
    return of_lines(stream, name, options.wrap)
