"""Parquet files, read batch by batch with pyarrow."""

from __future__ import annotations

import base64
import datetime
import decimal
import io
import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from instructune.errors import Exit, UserError
from instructune.jsonl import BadRow, Row, dumps

EXTENSIONS = (".parquet",)
MAGIC = b"PAR1"
TEXT = False
_BATCH = 1024  # rows


def read(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Yield the rows, counted from 1; a pipe is spooled to disk first, for the index is last.

    Dates become ISO 8601, exact decimals text, bytes that are no text base64, maps objects.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UserError(
            "Parquet needs pyarrow",
            where=name,
            hint="pip install pyarrow",
            code=Exit.UNAVAILABLE,
        ) from None
    with _seekable(stream) as file:
        try:
            source = parquet.ParquetFile(pyarrow.PythonFile(file, mode="r"))
            number = 0
            for batch in source.iter_batches(batch_size=_BATCH, use_threads=False):
                for value in batch.to_pylist():
                    number += 1
                    yield _row(f"{name}:{number}", value)
        except (pyarrow.ArrowException, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise UserError(f"broken Parquet data ({reason})", where=name) from None


def _row(where: str, value: dict[str, Any]) -> Row | BadRow:
    try:
        plain = {key: _plain(item, key) for key, item in value.items()}
        return Row(where, plain, dumps(plain))
    except ValueError as error:
        return BadRow(where, str(error), repr(value))


@contextmanager
def _seekable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """The file below the stream where that is a plain one, else a copy of what it holds."""
    file = getattr(getattr(stream, "raw", None), "raw", None)
    if isinstance(file, io.FileIO) and file.seekable():
        position = file.tell()
        try:
            yield file
        finally:
            file.seek(position)  # the stream goes on where it was, and hashes the rest
        return
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(stream, spool)
        yield spool


def _plain(value: Any, place: str) -> Any:
    """A value of a cell as JSON has it."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{place}: non-finite number {value}")
        return value
    if isinstance(value, dict):
        return {key: _plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        if value and all(type(item) is tuple and len(item) == 2 for item in value):  # a map
            return {_key(key): _plain(item, f"{place}.{key}") for key, item in value}
        return [_plain(item, place) for item in value]
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    raise ValueError(f"{place}: no way to write {type(value).__name__} as JSON")


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(_plain(key, "a key"))
