"""The lines of a text: numbered, bounded in length, decoded one by one."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from instructune.jsonl import MAX_LINE
from instructune.reading.encodings import guessed

_KEPT = 1 << 16  # bytes of an over-long line that are kept to show


class Line(NamedTuple):
    """A line with its end, as text and as it stood; `fault` says why it cannot be used."""

    number: int
    text: str
    raw: bytes
    fault: str = ""


def lines(stream: BinaryIO) -> Iterator[Line]:
    """Yield the lines of a UTF-8 stream; they end at `\\n` only, a byte-order mark is cut off."""
    readline = stream.readline
    number = 0
    while raw := readline(MAX_LINE + 1):
        number += 1
        if number == 1 and raw.startswith(codecs.BOM_UTF8):
            raw = raw[3:]
            if not raw:
                return
        if len(raw) > MAX_LINE:
            rest = raw
            while rest and not rest.endswith(b"\n"):
                rest = readline(_KEPT)
            yield Line(number, "", raw[:_KEPT], f"line longer than {MAX_LINE >> 20} MiB")
            continue
        try:
            yield Line(number, raw.decode(), raw)
        except UnicodeDecodeError as error:
            place = f"byte 0x{raw[error.start]:02x} at offset {error.start}"
            fault = f"not UTF-8 ({place}, looks like {guessed(raw)[0]})"
            yield Line(number, raw.decode(errors="surrogateescape"), raw, fault)


def is_blank(line: Line) -> bool:
    """Whether nothing is on the line."""
    return not line.text.strip(" \t\r\n") and not line.fault
