"""A JSON array of objects, or one object, in one document."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from instructune.errors import UserError
from instructune.jsonl import MAX_LINE, BadRow, Row, kind_of, scan

EXTENSIONS = (".json",)
_BLOCK = 1 << 20
_BLANKS = " \t\r\n"
_BOM = "\ufeff"
_tolerant = json.JSONDecoder()


def read(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Yield the elements of the array, each with the line it starts on.

    A faulty element is a BadRow. A faulty array has no next element to go on with: it raises.
    """
    document = _Document(stream, name)
    if document.peek() == _BOM:
        document.drop(1)
    if document.skip_blanks() != "[":
        yield document.element()
        if document.skip_blanks():
            raise document.broken("extra data after the object (JSON lines end in .jsonl)")
        return
    document.drop(1)
    mark = document.skip_blanks()
    while mark != "]":
        yield document.element()
        mark = document.skip_blanks()
        if mark == ",":
            document.drop(1)
            mark = document.skip_blanks()
            if mark == "]":
                raise document.broken("trailing comma in the array")
        elif mark != "]":
            raise document.broken("expected ',' or ']'")
    document.drop(1)
    if document.skip_blanks():
        raise document.broken("extra data after the array")


class _Document:
    """The text of a document, of which only the element at hand is held."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.stream, self.name = stream, name
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.text, self.position, self.line, self.ended = "", 0, 1, False

    def peek(self) -> str:
        """The next character; empty at the end."""
        while self.position == len(self.text) and self._more():
            pass
        return self.text[self.position : self.position + 1]

    def drop(self, count: int) -> None:
        """Pass over `count` characters that are at hand."""
        self.line += self.text.count("\n", self.position, self.position + count)
        self.position += count

    def skip_blanks(self) -> str:
        """Pass over blanks; the character after them, empty at the end."""
        while (found := self.peek()) and found in _BLANKS:
            self.drop(1)
        return found

    def element(self) -> Row | BadRow:
        """The value that starts here, passed over."""
        where = f"{self.name}:{self.line}"
        while True:
            value, end, reason = self._value()
            if end is not None and (end < len(self.text) or self.ended):
                break
            if len(self.text) - self.position > MAX_LINE:
                raise self.broken(f"element longer than {MAX_LINE >> 20} MiB, or {reason}")
            if not self._more():
                raise self.broken(reason)
        text = self.text[self.position : end]
        self.drop(len(text))
        if type(value) is dict:
            return Row(where, value, text.encode())
        return BadRow(where, reason or f"not a JSON object but {kind_of(value)}", text)

    def _value(self) -> tuple[Any, int | None, str]:
        """The value at hand, where it ends, what is wrong; no end if it is cut or broken."""
        try:
            return *scan(self.text, self.position), ""
        except json.JSONDecodeError as error:
            line = self.line + self.text.count("\n", self.position, error.pos)
            return None, None, f"not JSON ({error.msg} in line {line})"
        except ValueError as error:
            reason = str(error)
        try:
            return None, _tolerant.raw_decode(self.text, self.position)[1], reason
        except (ValueError, RecursionError):
            return None, None, reason

    def broken(self, reason: str) -> UserError:
        """The error for a document that cannot be read on from here."""
        return UserError(f"{reason}; the rest is unread", where=f"{self.name}:{self.line}")

    def _more(self) -> bool:
        """Take in another block; False at the end."""
        if self.ended:
            return False
        block = self.stream.read(max(_BLOCK, len(self.text) - self.position))
        self.ended = not block
        try:
            text = self.decoder.decode(block, final=self.ended)
        except UnicodeDecodeError as error:
            self.drop(len(self.text) - self.position)
            self.line += error.object.count(b"\n", 0, error.start)
            raise self.broken(f"not UTF-8 (byte 0x{error.object[error.start]:02x})") from None
        self.text, self.position = self.text[self.position :] + text, 0
        return True
