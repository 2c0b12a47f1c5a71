"""Whole files and directories or none: a temporary beside the target, fsync, rename."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from instructune.errors import Exit, UserError

_BLOCK = 1 << 20
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


def io_error(error: OSError, name: str) -> UserError:
    """The UserError for an OSError met while reading or writing `name`."""
    if isinstance(error, FileNotFoundError):
        return UserError(
            f"no such directory {str(Path(name).parent)!r}",
            where=name,
            hint="create it first",
            code=Exit.CANNOT_CREATE,
        )
    if isinstance(error, NotADirectoryError | FileExistsError | IsADirectoryError):
        reason = os.strerror(error.errno or errno.EEXIST).lower()
        return UserError(reason, where=name, code=Exit.CANNOT_CREATE)
    hint = None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space; what stood there before is untouched"
    refused = isinstance(error, PermissionError) or error.errno == errno.EROFS
    reason = os.strerror(error.errno or errno.EIO).lower()
    return UserError(reason, where=name, hint=hint, code=Exit.PERMISSION if refused else Exit.IO)


class _Sink(io.RawIOBase):
    """A raw file that names itself when a write fails."""

    def __init__(self, descriptor: int, name: str) -> None:
        self.descriptor, self.target, self.abandoned = descriptor, name, False

    def writable(self) -> bool:
        return True

    def write(self, data: memoryview) -> int:  # type: ignore[override]
        if self.abandoned:  # closing a buffer must not raise a second time
            return len(data)
        try:
            return os.write(self.descriptor, data)
        except OSError as error:
            raise io_error(error, self.target) from None


@contextmanager
def replacing(name: str) -> Iterator[BinaryIO]:
    """A stream whose bytes replace the file `name` when the block ends without an error.

    A link keeps pointing where it pointed; the mode stays, or follows the umask.
    """
    target = Path(os.path.realpath(name))
    prefix = f".{_short(target.name)}.tmp-"
    _remove_stale(target.parent, prefix)
    # the name is known before the file is made, so that a signal in between leaves nothing
    temporary = target.parent / f"{prefix}{os.getpid()}-{os.urandom(4).hex()}"
    descriptor = -1
    try:
        with naming_errors(name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, 0o666)
            _claim(descriptor)
            with suppress(FileNotFoundError):
                os.fchmod(descriptor, stat.S_IMODE(target.stat().st_mode))
        sink = _Sink(descriptor, name)
        out = io.BufferedWriter(sink, _BLOCK)  # type: ignore[type-var]
        try:
            yield cast(BinaryIO, out)
            out.flush()
        except BaseException:
            sink.abandoned = True
            raise
        finally:
            out.close()
        with naming_errors(name):
            os.fsync(descriptor)
            os.replace(temporary, target)  # noqa: PTH105
            sync_directory(target.parent)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    finally:
        if descriptor >= 0:
            os.close(descriptor)


@contextmanager
def committed_directory(target: Path) -> Iterator[Path]:
    """Fill a directory beside `target`, then rename it there: whole or absent.

    An older `target` is replaced at the end. Everything is fsynced before the rename.
    """
    name, target = str(target), Path(os.path.realpath(target))
    if target.exists() and not target.is_dir():
        raise UserError("is a file, not a directory", where=name, code=Exit.CANNOT_CREATE)
    prefix = f".tmp-{_short(target.name)}-"
    temporary = target.parent / f"{prefix}{os.getpid()}-{os.urandom(4).hex()}"
    descriptor = -1
    try:
        with naming_errors(name):
            target.parent.mkdir(parents=True, exist_ok=True)
            _remove_stale(target.parent, prefix)
            temporary.mkdir(mode=0o700)
            descriptor = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
            _claim(descriptor)
        try:
            yield temporary
        except OSError as error:
            if error.errno in DISK_ERRORS:
                raise io_error(error, name) from None
            raise
        with naming_errors(name):
            _sync_tree(temporary)
            temporary.chmod(0o777 & ~_umask())
            _swap(temporary, target)
            sync_directory(target.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _swap(temporary: Path, target: Path) -> None:
    """Put `temporary` in the place of `target`; what stood there goes afterwards."""
    if not target.exists():
        temporary.rename(target)
    elif _exchange(temporary, target):
        shutil.rmtree(temporary, ignore_errors=True)
    else:
        old = target.with_name(f".old-{target.name[:40]}-{os.urandom(4).hex()}")
        target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step, so that a kill finds both; False where that is unknown."""
    import ctypes

    swap = getattr(ctypes.CDLL(None), "renameat2", None)
    here, both = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of <linux/fs.h>
    return swap is not None and swap(here, os.fsencode(one), here, os.fsencode(other), both) == 0


@contextmanager
def naming_errors(name: str) -> Iterator[None]:
    """Turn the operating system's refusals into one line and a stable exit code."""
    try:
        yield
    except OSError as error:
        raise io_error(error, name) from None


def _short(name: str) -> str:
    """`name`, cut where the temporary's longer one would not fit into 255 bytes."""
    return name if len(os.fsencode(name)) < 200 else name[:40]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _claim(descriptor: int) -> bool:
    """Lock a temporary for as long as it is open; the kernel lets go when its owner dies."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _remove_stale(folder: Path, prefix: str) -> None:
    """Remove temporaries whose owner was killed: those that nobody holds a lock on."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name.startswith(prefix):
                with suppress(OSError):
                    _remove_unclaimed(path)


def _remove_unclaimed(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if _claim(descriptor):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    finally:
        os.close(descriptor)


def sync_directory(folder: str | Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        if path.is_file() or path.is_dir():
            sync_directory(path)
