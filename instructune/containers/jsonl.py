"""JSON lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from instructune.jsonl import BadRow, Row, read_rows

EXTENSIONS = (".jsonl", ".ndjson")


def read(stream: BinaryIO, name: str) -> Iterator[Row | BadRow | None]:
    """Yield the rows of `stream`; bad lines come as BadRow, blank ones as None."""
    return read_rows(stream, name)
