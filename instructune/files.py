"""Bytes in and out: plain, gzip, zstd or a pipe in; whole files or none out."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from instructune.errors import Exit, UserError, did_you_mean, usage

STDIO = "-"
_BLOCK = 1 << 20


class _HashingRaw(io.RawIOBase):
    """A raw stream that hashes what passes, so an input is read once."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self.raw, self.sha256 = raw, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        n = self.raw.readinto(buffer)
        if n:
            self.sha256.update(buffer[:n])
        return n

    def close(self) -> None:
        if self.raw.name != 0:  # standard input stays open
            self.raw.close()
        super().close()


class Input:
    """An opened input: `name` as typed, `stream` of decompressed bytes, `sha256` when drained."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._raw = _HashingRaw(_open_raw(name))
        self._before = _state(self._raw.raw)
        source = io.BufferedReader(self._raw, _BLOCK)
        self.stream = cast(BinaryIO, _decompressed(source, name))

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


def _state(raw: io.RawIOBase) -> tuple[int, int, int] | None:
    info = os.fstat(raw.fileno())
    if not stat.S_ISREG(info.st_mode):
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns


def _open_raw(name: str) -> io.RawIOBase:
    if name == STDIO:
        if sys.stdin is None or sys.stdin.closed:
            raise UserError("standard input is closed", where=STDIO, code=Exit.NO_INPUT)
        return io.FileIO(0, closefd=False)
    path = Path(name)
    if path.is_dir():
        raise UserError(
            "is a directory, not a file", where=name, hint="name its files", code=Exit.NO_INPUT
        )
    try:
        return io.FileIO(path)
    except FileNotFoundError:
        folder = path.parent
        near = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        hint = did_you_mean(path.name, near)
        raise UserError(
            "no such file",
            where=name,
            hint=hint if hint.startswith("did") else None,
            code=Exit.NO_INPUT,
        ) from None
    except PermissionError:
        raise UserError("not readable", where=name, code=Exit.PERMISSION) from None


def _decompressed(source: io.BufferedReader, name: str) -> io.BufferedIOBase:
    """Undo gzip or zstd, told by the first bytes: extensions lie, and a pipe has none."""
    head = source.peek(4)[:4]
    if head[:2] == b"\x1f\x8b":
        return _Whole(gzip.GzipFile(fileobj=source), name, "gzip")
    if head == b"\x28\xb5\x2f\xfd":
        import zstandard

        reader = zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True)
        return _Whole(reader, name, "zstd")
    return source


class _Whole(io.BufferedReader):
    """A decompressed stream that names the file when its data is cut or broken."""

    def __init__(self, reader: io.IOBase, name: str, kind: str) -> None:
        super().__init__(_Guarded(reader, name, kind), _BLOCK)


class _Guarded(io.RawIOBase):
    def __init__(self, reader: io.IOBase, name: str, kind: str) -> None:
        self.reader, self.name, self.kind = reader, name, kind

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self.reader.read(len(buffer))  # type: ignore[attr-defined]
        except Exception as error:  # zlib, gzip and zstd each raise their own
            raise UserError(f"broken {self.kind} data ({error})", where=self.name) from None
        buffer[: len(data)] = data
        return len(data)


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

    `-` is spooled and reaches standard output only when the block ends without an error, so a
    consumer never sees half of it. `.gz` and `.zst` names are compressed.
    """
    with _naming_errors(name):
        if name == STDIO:
            with tempfile.SpooledTemporaryFile(max_size=8 * _BLOCK) as spool:
                yield cast(BinaryIO, spool)
                spool.seek(0)
                _copy_to_stdout(cast(BinaryIO, spool))
        elif _is_special(name):
            with open(name, "wb") as special:
                yield special
        else:
            with _replacing(name) as raw, _compressing(raw, name) as out:
                yield out


def write_bytes(path: str | Path, data: bytes) -> None:
    """Replace a small file atomically."""
    with open_output(str(path)) as out:
        out.write(data)


def _is_special(name: str) -> bool:
    """A FIFO or a device such as /dev/stdout streams; it cannot be renamed over."""
    try:
        mode = Path(name).stat().st_mode
    except OSError:
        return False
    if stat.S_ISDIR(mode):
        raise UserError("is a directory", where=name, code=Exit.CANNOT_CREATE)
    return not stat.S_ISREG(mode)


@contextmanager
def _replacing(name: str) -> Iterator[BinaryIO]:
    target = Path(name).resolve()  # a link keeps pointing where it pointed
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.tmp-")
    try:
        with os.fdopen(descriptor, "wb", buffering=_BLOCK) as raw:
            os.fchmod(raw.fileno(), _mode_for(target))
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(temporary, target)  # noqa: PTH105
        sync_directory(target.parent)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108
        raise


def _mode_for(target: Path) -> int:
    with suppress(FileNotFoundError):
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def sync_directory(folder: str | Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _compressing(raw: BinaryIO, name: str) -> Iterator[BinaryIO]:
    if name.endswith(".gz"):
        # no clock and no name in the header: the same rows give the same bytes
        with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as out:
            yield cast(BinaryIO, out)
    elif name.endswith(".zst"):
        import zstandard

        with zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False) as out:
            yield cast(BinaryIO, out)
    else:
        yield raw


def _copy_to_stdout(spool: BinaryIO) -> None:
    with io.FileIO(1, "wb", closefd=False) as raw:
        out = io.BufferedWriter(raw, _BLOCK)
        shutil.copyfileobj(spool, out, _BLOCK)
        out.flush()
        out.detach()


@contextmanager
def _naming_errors(name: str) -> Iterator[None]:
    """Turn the operating system's refusals into one line and a stable exit code."""
    try:
        yield
    except BrokenPipeError:
        raise
    except PermissionError:
        raise UserError("not writable", where=name, code=Exit.PERMISSION) from None
    except FileNotFoundError:
        raise UserError(
            f"no such directory {str(Path(name).parent)!r}",
            where=name,
            hint="create it first",
            code=Exit.CANNOT_CREATE,
        ) from None
    except OSError as error:
        raise io_error(error, name) from None


def io_error(error: OSError, name: str) -> UserError:
    """The UserError for an OSError met while writing `name`."""
    hint = None
    if error.errno == errno.ENOSPC:
        hint = "free some space; what stood there before is untouched"
    code = Exit.PERMISSION if error.errno in (errno.EACCES, errno.EROFS) else Exit.IO
    return UserError(os.strerror(error.errno or errno.EIO), where=name, hint=hint, code=code)


def check_creatable(name: str) -> None:
    """Fail early, before any slow work, if `name` could not be written."""
    if name == STDIO or _is_special(name):
        return
    folder = Path(name).resolve().parent
    if not folder.is_dir():
        raise UserError(
            f"no such directory {str(Path(name).parent)!r}",
            where=name,
            hint=f"create it first: mkdir -p {Path(name).parent}",
            code=Exit.CANNOT_CREATE,
        )
    if not os.access(folder, os.W_OK):
        raise UserError("directory not writable", where=name, code=Exit.PERMISSION)


def check_distinct(inputs: list[str], output: str) -> None:
    """Refuse to overwrite an input with the output made from it."""
    if output == STDIO:
        return
    for name in inputs:
        with suppress(OSError):
            if name != STDIO and os.path.samefile(name, output):
                raise usage("is also an input", where=output, hint="choose another -o")


def sha256_file(path: str | Path) -> str:
    """The hash of a file's bytes, 64 hex digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(cast(BinaryIO, stream), "sha256").hexdigest()


@contextmanager
def committed_directory(target: Path) -> Iterator[Path]:
    """Fill a directory beside `target`, then rename it there: whole or absent.

    An older `target` is replaced at the end. Files are fsynced before the rename.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".tmp-{target.name}-"))
    try:
        yield temporary
        _each_file(temporary, _sync_file)
        temporary.chmod(0o755)
        if target.exists():
            old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".old-{target.name}-"))
            os.replace(target, old / target.name)  # noqa: PTH105
            os.replace(temporary, target)  # noqa: PTH105
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(temporary, target)  # noqa: PTH105
        sync_directory(target.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _each_file(folder: Path, act: Callable[[Path], None]) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            act(path)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
