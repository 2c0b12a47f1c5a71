"""Compressed bytes in, plain bytes out and back: gzip and zstd, told by their first bytes."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from instructune.errors import UserError

_BLOCK = 1 << 20
_BITE = 1 << 10  # a kilobyte of zstd cannot unfold to more than 32 MiB
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


def decompressed(source: io.BufferedReader[Any], name: str) -> io.BufferedReader[Any]:
    """`source` with gzip or zstd undone: extensions lie, and a pipe has none.

    Data that is cut or broken raises a UserError that names the file.
    """
    head = source.peek(4)[:4]
    if head[:2] == _GZIP:
        return io.BufferedReader(_Gzip(source, name), _BLOCK)
    if head == _ZSTD or (head[1:] == b"\x2a\x4d\x18" and head[0] >> 4 == 5):  # or a skippable frame
        return io.BufferedReader(_Zstd(source, name), _BLOCK)
    return source


class _Gzip(io.RawIOBase):
    def __init__(self, source: io.BufferedReader[Any], name: str) -> None:
        self.reader, self.name = gzip.GzipFile(fileobj=source), name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            return self.reader.readinto(buffer)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UserError(f"broken gzip data ({error})", where=self.name) from None


class _Zstd(io.RawIOBase):
    """Frame after frame; the library's own stream reader takes a cut file for a whole one."""

    def __init__(self, source: io.BufferedReader[Any], name: str) -> None:
        import zstandard

        self.source, self.name, self.library = source, name, zstandard
        self.frame: zstandard.ZstdDecompressionObj | None = None
        self.plain = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            while not self.plain and (bite := self.source.read(_BITE)):
                self.plain = b"".join(self._unfold(bite))
        except self.library.ZstdError as error:
            raise UserError(f"broken zstd data ({error})", where=self.name) from None
        if not self.plain and self.frame:
            raise UserError("broken zstd data (it ends inside a frame)", where=self.name)
        n = min(len(buffer), len(self.plain))
        buffer[:n] = self.plain[:n]
        self.plain = self.plain[n:]
        return n

    def _unfold(self, bite: bytes) -> Iterator[bytes]:
        while bite:
            self.frame = self.frame or self.library.ZstdDecompressor().decompressobj()
            yield self.frame.decompress(bite)
            if not self.frame.eof:
                return
            bite, self.frame = self.frame.unused_data, None


@contextmanager
def compressing(raw: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """A stream whose bytes reach `raw` compressed where `name` ends in .gz or .zst."""
    if name.endswith(".gz"):
        # no clock and no name in the header: the same rows give the same bytes
        with gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as out:
            yield cast(BinaryIO, out)
    elif name.endswith(".zst"):
        import zstandard

        with zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as out:
            yield cast(BinaryIO, out)
    else:
        yield raw
