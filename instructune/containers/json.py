"""A JSON array of objects, or one object, in one document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

from instructune.jsonl import BadRow, Row, loads

EXTENSIONS = (".json",)
_BLANKS = " \t\r\n"
_BOM = b"\xef\xbb\xbf"


def read(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Yield the elements of the array, each with the line it starts on.

    The document is held in memory: an array has no line to stop at.
    """
    data = stream.read().removeprefix(_BOM)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        yield BadRow(f"{name}:{line}", f"not UTF-8 (byte 0x{data[error.start]:02x})", "")
        return
    start = _skip(text, 0)
    if text[start : start + 1] == "[":
        yield from _elements(text, start, name)
    else:
        yield _value(text, name, text.count("\n", 0, start) + 1)


def _elements(text: str, start: int, name: str) -> Iterator[Row | BadRow]:
    scan = json.JSONDecoder().raw_decode
    position, line, counted = _skip(text, start + 1), 1, 0
    while text[position : position + 1] != "]":
        line += text.count("\n", counted, position)
        counted = position
        try:
            _, end = scan(text, position)
        except (json.JSONDecodeError, RecursionError) as error:
            where = getattr(error, "pos", position)
            line += text.count("\n", counted, where)
            yield BadRow(f"{name}:{line}", "the array is broken here; the rest is unread", "")
            return
        yield _value(text[position:end], name, line)
        position = _skip(text, end)
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
            if text[position : position + 1] == "]":
                line += text.count("\n", counted, position)
                yield BadRow(f"{name}:{line}", "trailing comma in the array", "")
                return
        elif text[position : position + 1] != "]":
            line += text.count("\n", counted, position)
            yield BadRow(f"{name}:{line}", "expected ',' or ']'; the rest is unread", "")
            return
    if text[position + 1 :].strip(_BLANKS):
        line += text.count("\n", counted, position)
        yield BadRow(f"{name}:{line}", "extra data after the array", "")


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BLANKS:
        position += 1
    return position


def _value(text: str, name: str, line: int) -> Row | BadRow:
    where = f"{name}:{line}"
    try:
        value = loads(text)
    except ValueError as error:
        return BadRow(where, str(error), text)
    if type(value) is not dict:
        return BadRow(where, "not a JSON object", text)
    return Row(where, value)
