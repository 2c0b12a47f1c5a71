"""A JSON array of objects, or one object, in one document."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from instructune.errors import UserError, usage
from instructune.jsonl import MAX_LINE, BadRow, Row, kind_of, scan

EXTENSIONS = (".json",)
TEXT = False
_BLOCK = 1 << 20
_BLANKS = " \t\r\n"
_BOM = "\ufeff"
_tolerant = json.JSONDecoder()


@dataclass(frozen=True)
class Options:
    """`rows`: the key of the outer object whose array holds the rows.

    `whole`: a name under which the whole array is one row. `wrap`: one under which an element
    that is no object becomes a row.
    """

    rows: str = ""
    whole: str = ""
    wrap: str = ""

    def __post_init__(self) -> None:
        if self.whole and (self.rows or self.wrap):
            raise usage("whole leaves nothing to rows or wrap", where="--container json")


def read(stream: BinaryIO, name: str, options: Options = Options()) -> Iterator[Row | BadRow]:
    """Yield the elements of the array, each with the line it starts on.

    A faulty element is a BadRow. A faulty array has no next element to go on with: it raises.
    """
    document = _Document(stream, name, options.whole or options.wrap)
    if document.peek() == _BOM:
        document.drop(1)
    mark = document.skip_blanks()
    if options.rows:
        if mark != "{":
            raise document.broken(f"no object with the key {options.rows!r}")
        yield from _under(document, options.rows)
    elif mark != "[" or options.whole:
        yield document.element()
    else:
        yield from _elements(document)
    if document.skip_blanks():
        what = "array" if mark == "[" else "object (JSON lines end in .jsonl)"
        raise document.broken(f"extra data after the {what}")


def _elements(document: _Document) -> Iterator[Row | BadRow]:
    """The elements of the array that starts here."""
    document.drop(1)
    mark = document.skip_blanks()
    while mark != "]":
        yield document.element()
        mark = document.next_of("array", "]")
    document.drop(1)


def _under(document: _Document, wanted: str) -> Iterator[Row | BadRow]:
    """The elements of the array under the key `wanted` of the object that starts here."""
    keys = []
    document.drop(1)
    mark = document.skip_blanks()
    while mark != "}":
        key = document.value()
        if type(key) is not str or document.skip_blanks() != ":":
            raise document.broken("expected a key and ':'")
        document.drop(1)
        if (mark := document.skip_blanks()) == "[" and key == wanted and key not in keys:
            yield from _elements(document)
        else:
            document.value()
        keys.append(key)
        mark = document.next_of("object", "}")
    document.drop(1)
    if wanted not in keys:
        raise document.broken(f"no key {wanted!r}, named in rows={wanted}: found {keys[:12]}")


class _Document:
    """The text of a document, of which only the element at hand is held."""

    def __init__(self, stream: BinaryIO, name: str, wrap: str) -> None:
        self.stream, self.name, self.wrap = stream, name, wrap
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

    def next_of(self, kind: str, end: str) -> str:
        """Pass over the comma after an element; the character after it, or `end`."""
        mark = self.skip_blanks()
        if mark == ",":
            self.drop(1)
            mark = self.skip_blanks()
            if mark == end:
                raise self.broken(f"trailing comma in the {kind}")
        elif mark != end:
            raise self.broken(f"expected ',' or '{end}'")
        return mark

    def element(self) -> Row | BadRow:
        """The value that starts here as a row, passed over."""
        where = f"{self.name}:{self.line}"
        value, reason, text = self._passed()
        if type(value) is not dict and not reason and self.wrap:
            value = {self.wrap: value}
        if type(value) is dict:
            return Row(where, value, text.encode())
        return BadRow(where, reason or f"not a JSON object but {kind_of(value)}", text)

    def value(self) -> Any:
        """The value that starts here, passed over; a faulty one breaks the document."""
        value, reason, _ = self._passed()
        if reason:
            raise self.broken(reason)
        return value

    def _passed(self) -> tuple[Any, str, str]:
        """The value that starts here, what is wrong with it, and its text, passed over."""
        while True:
            value, end, reason = self._value()
            if end is not None and (end < len(self.text) or self.ended):
                break
            if len(self.text) - self.position > MAX_LINE:
                hint = "--container json:rows=KEY reads an inner array element by element"
                raise self.broken(f"element longer than {MAX_LINE >> 20} MiB, or {reason}", hint)
            if not self._more():
                raise self.broken(reason)
        text = self.text[self.position : end]
        self.drop(len(text))
        return value, reason, text

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

    def broken(self, reason: str, hint: str | None = None) -> UserError:
        """The error for a document that cannot be read on from here."""
        where = f"{self.name}:{self.line}"
        return UserError(f"{reason}; the rest is unread", where=where, hint=hint)

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
