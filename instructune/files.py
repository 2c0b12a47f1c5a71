"""Bytes in and out: plain, gzip, zstd or a pipe in; whole files or none out."""

from __future__ import annotations

import hashlib
import io
import os
import select
import shlex
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from instructune.commits import (
    committed_directory,
    io_error,
    naming_errors,
    replacing,
    sync_directory,
)
from instructune.compression import compressing, decompressed
from instructune.errors import Exit, UserError, did_you_mean, usage
from instructune.reading.paths import STDIO, expanded

__all__ = [
    "STDIO",
    "Input",
    "check_creatable",
    "check_distinct",
    "check_outputs",
    "committed_directory",
    "io_error",
    "naming_errors",
    "open_input",
    "open_output",
    "sha256_file",
    "shown",
    "sync_directory",
    "write_bytes",
]

_BLOCK = 1 << 20
_HEAD = 1 << 12  # bytes at hand for telling what a stream is, however slowly a pipe fills


class _HashingRaw(io.RawIOBase):
    """A raw stream that hashes what passes, so an input is read once."""

    def __init__(self, raw: io.FileIO, name: str) -> None:
        self.raw, self.name, self.sha256 = raw, name, hashlib.sha256()
        self.least = _HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        view, n = memoryview(buffer), 0
        try:
            while got := self._read(view[n:]):
                n += got
                if n >= self.least:
                    break
        except OSError as error:
            raise io_error(error, self.name) from None
        self.least = 1
        self.sha256.update(view[:n])
        return n

    def _read(self, buffer: memoryview) -> int:
        while (got := self.raw.readinto(buffer)) is None:  # a pipe that does not block
            select.select([self.raw], [], [])
        return got

    def close(self) -> None:
        self.raw.close()
        super().close()


class Input:
    """An opened input: `name` as typed, `stream` of decompressed bytes, `sha256` when drained."""

    def __init__(self, name: str) -> None:
        self.name = name
        raw = _open_raw(name)
        self._raw, self._before = _HashingRaw(raw, name), _state(raw)
        try:
            source = io.BufferedReader(self._raw, _BLOCK)
            self.stream = cast(BinaryIO, decompressed(source, name))
        except BaseException:
            self.close()
            raise

    def sha256(self) -> str:
        """The hash of the bytes as stored; call once everything was read."""
        while self._raw.read(_BLOCK):
            continue
        return self._raw.sha256.hexdigest()

    def check_unchanged(self) -> None:
        """Refuse an input that somebody wrote to while it was being read."""
        if _state(self._raw.raw) != self._before:
            raise UserError("the file changed while it was read", where=self.name)

    def close(self) -> None:
        """Close the file; standard input stays open."""
        self._raw.close()


def _state(raw: io.FileIO) -> tuple[int, int, int] | None:
    info = os.fstat(raw.fileno())
    if not stat.S_ISREG(info.st_mode):
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns


def _open_raw(name: str) -> io.FileIO:
    if name == STDIO:
        if sys.stdin is None or sys.stdin.closed:
            raise UserError("standard input is closed", where=STDIO, code=Exit.NO_INPUT)
        return io.FileIO(0, closefd=False)
    try:
        return io.FileIO(name)
    except FileNotFoundError:
        folder = Path(name).parent
        hint = did_you_mean(Path(name).name, _entries(folder))
        raise UserError(
            "no such file",
            where=name,
            hint=hint if hint.startswith("did") else None,
            code=Exit.NO_INPUT,
        ) from None
    except PermissionError:
        raise UserError("not readable", where=name, code=Exit.PERMISSION) from None
    except IsADirectoryError:
        raise UserError(
            "is a directory, not a file", where=name, hint="name a file in it", code=Exit.NO_INPUT
        ) from None
    except (OSError, ValueError) as error:  # a loop of links, a socket, a name too long or with NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot be opened ({reason})", where=name, code=Exit.NO_INPUT) from None


def _entries(folder: Path) -> list[str]:
    with suppress(OSError):
        return [path.name for path in folder.iterdir()]
    return []


@contextmanager
def open_input(name: str) -> Iterator[Input]:
    """Open a path, or `-` for standard input."""
    source = Input(name)
    try:
        yield source
    finally:
        source.close()


@contextmanager
def open_output(name: str) -> Iterator[BinaryIO]:
    """Write a whole file or none: a temporary file beside it, fsync, rename.

    `-`, FIFOs and devices cannot be renamed over: what is written to them is spooled and passed
    on only when the block ends without an error, so a consumer never sees half of it.
    `.gz` and `.zst` names of files are compressed.
    """
    if name == STDIO:
        if sys.stdout is None:
            raise UserError("standard output is closed", where=name, code=Exit.IO)
        with _spooled(name, 1) as out:
            yield out
    elif _is_special(name):
        with _special(name) as descriptor, _spooled(name, descriptor) as out:
            yield out
    else:
        with replacing(name) as raw, compressing(raw, name) as out:
            yield out


@contextmanager
def _special(name: str) -> Iterator[int]:
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        raise io_error(error, name) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _spooled(name: str, descriptor: int) -> Iterator[BinaryIO]:
    with tempfile.SpooledTemporaryFile(max_size=8 * _BLOCK) as spool:
        yield cast(BinaryIO, _Spool(spool, name))
        spool.seek(0)
        try:
            while block := spool.read(_BLOCK):
                _write_all(descriptor, block)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise io_error(error, name) from None


class _Spool(io.BufferedIOBase):
    """A spool that names its place when it does not fit."""

    def __init__(self, spool: tempfile.SpooledTemporaryFile[bytes], name: str) -> None:
        self.spool, self.target = spool, name

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        try:
            return self.spool.write(data)
        except OSError as error:
            reason = f"cannot be spooled ({os.strerror(error.errno or 0).lower()})"
            hint = "free some space, or name another folder in TMPDIR"
            raise UserError(reason, where=self.target, hint=hint, code=Exit.IO) from None


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # a pipe that does not block
            select.select([], [descriptor], [])


def write_bytes(path: str | Path, data: bytes) -> None:
    """Replace a small file atomically."""
    with open_output(str(path)) as out:
        out.write(data)


def _is_special(name: str) -> bool:
    """A FIFO or a device such as /dev/stdout streams; it cannot be renamed over."""
    try:
        mode = Path(name).stat().st_mode
    except (OSError, ValueError):
        return False
    if stat.S_ISDIR(mode):
        raise UserError("is a directory", where=name, code=Exit.CANNOT_CREATE)
    return not stat.S_ISREG(mode)


def check_creatable(name: str) -> None:
    """Fail early, before any slow work, if `name` could not be written."""
    if name == STDIO or _is_special(name):
        return
    folder = Path(os.path.realpath(name)).parent
    try:
        found = stat.S_ISDIR(folder.stat().st_mode)
        allowed = os.access(folder, os.W_OK | os.X_OK)
    except PermissionError:
        found, allowed = True, False
    except OSError:
        found = allowed = False
    if not found:
        raise UserError(
            f"no such directory {str(Path(name).parent)!r}",
            where=name,
            hint=f"create it first: mkdir -p {shlex.quote(str(Path(name).parent))}",
            code=Exit.CANNOT_CREATE,
        )
    if not allowed:
        raise UserError("directory not writable", where=name, code=Exit.PERMISSION)


def check_distinct(inputs: Sequence[str], output: str) -> None:
    """Refuse to overwrite an input, in a directory too, with the output made from it."""
    if output == STDIO:
        return
    for name in expanded(inputs):
        with suppress(OSError, ValueError):
            info = os.fstat(0) if name == STDIO else Path(name).stat()
            if stat.S_ISREG(info.st_mode) and os.path.samestat(info, Path(output).stat()):
                raise usage("is also an input", where=output, hint="choose another -o")


def check_outputs(names: Sequence[str]) -> None:
    """Refuse two outputs of one step that would be the same file or both standard output."""
    seen: set[str] = set()
    for name in names:
        place = name if name == STDIO else os.path.realpath(name)
        if place in seen:
            raise usage("two outputs cannot go to one place", where=name)
        if name == STDIO or not _is_special(name):
            seen.add(place)


def shown(name: str) -> str:
    """A file name as text for an artifact: bytes that are not UTF-8 as `\\xNN`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def sha256_file(path: str | Path) -> str:
    """The hash of a file's bytes, 64 hex digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
