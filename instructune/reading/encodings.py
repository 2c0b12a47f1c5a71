"""Bytes of any encoding in, UTF-8 out: as named, else told by a byte-order mark or by evidence."""

from __future__ import annotations

import codecs
import io
import re
from typing import Any, BinaryIO, cast

from instructune.errors import UserError, usage

_BLOCK = 1 << 20
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def as_utf8(stream: BinaryIO, name: str, encoding: str | None) -> BinaryIO:
    """`stream` in UTF-8: recoded from `encoding`, or from UTF-16 and UTF-32 where it is that.

    Bytes that a named encoding does not have pass through as they are, so the row that holds
    them is told, not the file.
    """
    found = checked(encoding) if encoding else _wide(head(stream))
    if found is None or found == "utf-8":
        return stream
    return cast(BinaryIO, io.BufferedReader(_Recoded(stream, name, found), _BLOCK))


def checked(encoding: str) -> str:
    """The name Python has for a text encoding; a usage error where there is none."""
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError):  # ValueError: a name with NUL
        found = None
    if found is None or not getattr(found, "_is_text_encoding", True):
        hint = "such as utf-8, gb18030, big5, shift_jis, latin-1, cp1252, utf-16"
        raise usage(f"no encoding is called {encoding!r}", where="--encoding", hint=hint)
    return found.name


def head(stream: BinaryIO) -> bytes:
    """The first bytes, which stay to be read."""
    return cast("io.BufferedReader[Any]", stream).peek(_BLOCK)


def _wide(start: bytes) -> str | None:
    """UTF-16 or UTF-32 by its mark, or UTF-16 by the zeros of ASCII, all on one side."""
    for mark, name in _MARKS:
        if start.startswith(mark) and _many_nul(start):  # line ends have one each, at least
            return name
    low, high = start[:64:2].count(0), start[1:64:2].count(0)
    if min(low, high) == 0 and (low + high) * 4 >= len(start[:64]) >= 8:
        return "utf-16-be" if low else "utf-16-le"
    return None


def _many_nul(start: bytes) -> bool:
    return start.count(0) * 1000 > len(start)


def refuse_foreign(start: bytes, name: str) -> None:
    """Raise where a text is not UTF-8 on the whole, naming what it looks like.

    A few bad bytes in what is UTF-8 otherwise are the matter of their rows.
    """
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(start)
    bad = text.count("\ufffd") - start.count("\ufffd".encode())
    if bad <= 0 or bad <= sum(char > "\x7f" for char in text) - text.count("\ufffd"):
        return
    label, argument = guessed(start)
    raise UserError(
        f"not UTF-8; it looks like {label}", where=name, hint=f"add --encoding {argument}"
    )


def guessed(start: bytes) -> tuple[str, str]:
    """What bytes that are not UTF-8 look like: its name, and what to give to `--encoding`.

    GB18030 if they decode strictly and most of it is common Chinese; nearly any two bytes are
    some character there. Else an 8-bit encoding, of which latin-1 never fails.
    """
    try:
        text = codecs.getincrementaldecoder("gb18030")().decode(start)
    except UnicodeDecodeError:
        pass
    else:
        foreign = [char for char in text if char > "\x7f"]
        common = sum(bool(char.encode("gb2312", "ignore")) for char in foreign)
        if _CHINESE.search(text) and common * 2 > len(foreign):
            return "GB18030", "gb18030"
    if any(0x80 <= byte < 0xA0 for byte in start):
        return "Windows-1252", "cp1252"
    return "Latin-1", "latin-1"


class _Recoded(io.RawIOBase):
    """A stream decoded and encoded anew, block by block."""

    def __init__(self, source: BinaryIO, name: str, encoding: str) -> None:
        self.source, self.name, self.encoding = source, name, encoding
        wide = encoding.startswith(("utf-16", "utf-32"))
        errors = "strict" if wide else "surrogateescape"
        self.decoder = codecs.getincrementaldecoder(encoding)(errors)
        self.plain, self.ended = b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self.plain and not self.ended:
            block = cast("io.BufferedReader[Any]", self.source).read1(_BLOCK)
            self.ended = not block
            try:
                text = self.decoder.decode(block, self.ended)
            except UnicodeError as error:
                reason = f"not {self.encoding.upper()} ({getattr(error, 'reason', error)})"
                raise UserError(reason, where=self.name) from None
            self.plain = text.encode("utf-8", "surrogateescape")
        n = min(len(buffer), len(self.plain))
        buffer[:n] = self.plain[:n]
        self.plain = self.plain[n:]
        return n
