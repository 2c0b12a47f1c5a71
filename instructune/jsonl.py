"""Strict JSON lines: bytes in, rows with their place out; rows in, bytes out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple, NoReturn

import jsonlines
import orjson

from instructune.errors import UserError

MAX_LINE = 16 << 20  # bytes; longer lines are a broken file more often than a row
MAX_DEPTH = 200
_KEPT = 1 << 16  # bytes of an over-long line that are kept to show
_BOM = b"\xef\xbb\xbf"
_CONSUMED_BY_JSONLINES = (b"\xef\xbb\xbf", b"\x1e")  # it strips these silently from any line
_UTF_16 = "not UTF-8 (looks like UTF-16: convert it with iconv -f UTF-16 -t UTF-8)"


class Row(NamedTuple):
    """A row that parsed: `where` is `file:line`, `text` the row as it stood."""

    where: str
    value: dict[str, Any]
    text: bytes = b""


class BadRow(NamedTuple):
    """A line that did not: why, and its text as it stood (invalid bytes as `\\xNN`)."""

    where: str
    reason: str
    text: str


class Encoded(bytes):
    """Rows as bytes already: lines, the last without its end."""

    @property
    def rows(self) -> int:
        """How many they are; a row holds no line end."""
        return self.count(b"\n") + 1


def read_rows(
    stream: BinaryIO, name: str, wrap: str = "", before: int = 0
) -> Iterator[Row | BadRow | None]:
    """Yield each line of `stream` as a Row or a BadRow; None stands for a blank line.

    Lines end at `\\n` only: U+2028 and its like belong to the text. With `wrap`, a value that is
    no object becomes one that holds it under this name. `before` counts the lines ahead of them.
    """
    lines = _Lines(stream, before)
    read = jsonlines.Reader(lines, loads=lines.loads).read  # type: ignore[arg-type]
    while True:
        try:
            value = read(allow_none=True)
        except EOFError:
            return
        except jsonlines.InvalidLineError as error:
            if lines.is_blank():
                yield None
                continue
            reason = lines.explain(error.__cause__)
        else:
            if type(value) is not dict and wrap:
                value = {wrap: value}
            if type(value) is dict:
                yield Row(f"{name}:{lines.number}", value, lines.line)
                continue
            reason = f"not a JSON object but {kind_of(value)}"
        yield BadRow(f"{name}:{lines.number}", reason, as_text(lines.line))


class _Lines:
    """The lines of a stream, bounded in length, with the current one at hand."""

    def __init__(self, stream: BinaryIO, before: int) -> None:
        self.stream, self.number = stream, before
        self.line, self.too_long = b"", False

    def __iter__(self) -> Iterator[bytes]:
        readline = self.stream.readline
        while line := readline(MAX_LINE + 1):
            self.number += 1
            self.too_long = len(line) > MAX_LINE
            if self.too_long:
                self._skip_rest(line)
                line = line[:_KEPT]
            elif self.number == 1 and line.startswith(_BOM):
                line = line[3:]
            self.line = line
            yield line

    def _skip_rest(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self.stream.readline(_KEPT)

    def loads(self, text: str) -> Any:
        if self.too_long:
            raise ValueError("too long")
        if self.line.startswith(_CONSUMED_BY_JSONLINES):
            raise ValueError("unexpected control or byte-order mark at the start of the line")
        return loads(text, self.line)

    def is_blank(self) -> bool:
        return not self.too_long and not self.line.strip(b" \t\r\n")

    def explain(self, cause: BaseException | None) -> str:
        if self.too_long:
            return f"line longer than {MAX_LINE >> 20} MiB (the first {_KEPT >> 10} KiB are kept)"
        if self.line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in self.line[:2]:
            return _UTF_16
        reason = str(cause)
        if isinstance(cause, UnicodeDecodeError):
            reason = f"not UTF-8 (byte 0x{self.line[cause.start]:02x} at offset {cause.start})"
        elif not isinstance(cause, json.JSONDecodeError):
            return reason
        if not self.line.endswith(b"\n"):
            reason += "; the last line is unterminated, was the file cut?"
        return reason


def as_text(line: bytes) -> str:
    """A line to keep or show, whatever its bytes."""
    return line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    return _KINDS[type(value)]


def loads(text: str, raw: bytes | None = None) -> Any:
    """Parse one JSON value as RFC 8259 has it, and no more; ValueError says what is wrong.

    Refused beyond the grammar: duplicate keys, NaN and infinities (also by overflow), lone
    surrogates, nesting over 200. Integers keep every digit. `raw` spares encoding `text` again.
    """
    try:
        value, end = _scan(text, 0)
    except _REFUSALS:  # or only blanks before the value
        value, end = _parsed(text, 0)
    if text[end:] not in _LINE_ENDS and (end := _past_blanks(text, end)) != len(text):
        raise _described(json.JSONDecodeError("Extra data", text, end))
    _check(value, text.encode("utf-8", "surrogatepass") if raw is None else raw)
    return value


def scan(text: str, start: int) -> tuple[Any, int]:
    """Parse the JSON value that starts at `start`, as strictly; the value and where it ends."""
    value, end = _parsed(text, start)
    _check(value, text[start:end].encode("utf-8", "surrogatepass"))
    return value, end


def _parsed(text: str, start: int) -> tuple[Any, int]:
    try:
        return _scan(text, _past_blanks(text, start))
    except StopIteration as stop:
        raise _described(json.JSONDecodeError("Expecting value", text, stop.value)) from None
    except json.JSONDecodeError as error:
        raise _described(error) from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except ValueError as error:
        if "integer string conversion" in str(error):
            raise ValueError("integer of more than 4300 digits") from None
        raise


def _check(value: Any, raw: bytes) -> None:
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _check_depth(value, MAX_DEPTH)
    if b"\\u" in raw and (b"\\ud" in raw or b"\\uD" in raw):
        _check_surrogates(value)


def _past_blanks(text: str, start: int) -> int:
    found = _BLANKS.match(text, start)
    return found.end() if found else start


def _described(error: json.JSONDecodeError) -> json.JSONDecodeError:
    what = (error.msg[0].lower() + error.msg[1:]).removesuffix(" at")
    described = json.JSONDecodeError(what, error.doc, error.pos)
    described.args = (f"not JSON ({what} at column {error.colno})",)
    return described


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError(f"duplicate key {_first_repeated(pairs)!r}")
    return value


def _first_repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    return next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]


def _constant(name: str) -> NoReturn:
    raise ValueError(f"non-finite number {name}")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"number overflow {digits[:40]}")
    return value


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
_scan = _decoder.scan_once  # type: ignore[attr-defined]
_REFUSALS = (StopIteration, ValueError, RecursionError)
_LINE_ENDS = ("\n", "", "\r\n")
_BLANKS = re.compile(r"[ \t\n\r]*")
_TOO_DEEP = f"nested deeper than {MAX_DEPTH}"
_KINDS = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _check_depth(value: Any, left: int) -> None:
    if type(value) is dict:
        value = value.values()
    elif type(value) is not list:
        return
    if not left:
        raise ValueError(_TOO_DEEP)
    for item in value:
        if type(item) in (dict, list):
            _check_depth(item, left - 1)


def _check_surrogates(value: Any) -> None:
    try:
        orjson.dumps(value)
    except TypeError:  # of them, or only of an integer over 64 bits
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("lone surrogate in a string") from None


def dumps(row: Any) -> bytes:
    """One row as bytes without the line end; raises ValueError on NaN and infinities."""
    if type(row) is Encoded:
        return row
    try:
        line = orjson.dumps(row)
    except TypeError:  # integers over 64 bits
        return json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if b"null" in line:  # orjson writes NaN as null
        _check_finite(row)
    return line


def _check_finite(value: Any) -> None:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number is not finite")
    elif isinstance(value, dict):
        for item in value.values():
            _check_finite(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_finite(item)


class RowWriter:
    """Writes rows to a binary stream and counts them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._writer = jsonlines.Writer(stream, dumps=dumps)
        self.rows = 0

    def write(self, row: Any) -> None:
        """Append a row, or several that are encoded."""
        self._writer.write(row)
        self.rows += row.rows if type(row) is Encoded else 1

    def write_all(self, rows: Iterable[Any]) -> None:
        """Append rows as they come."""
        for row in rows:
            self.write(row)


def pretty(value: Any) -> bytes:
    """A JSON document for a person to read: indented, keys as given, one line end."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
    return text.encode() + b"\n"


def load_document(data: bytes, where: str) -> Any:
    """Parse a whole JSON file such as run.json, strictly."""
    try:
        return loads(data.decode("utf-8"), data)
    except ValueError as error:
        raise UserError(str(error), where=where) from None
