"""A run directory: what `train` leaves behind, file by file, and the lock on it."""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from instructune import files
from instructune.errors import Exit, UserError
from instructune.jsonl import Row, dumps, load_document, pretty, read_rows

RUN, LOG, DATA = "run.json", "log.jsonl", "data.jsonl"
MODEL, ADAPTER, CHECKPOINTS = "model", "adapter", "checkpoints"
BEST, LAST, LOCK = "best", "last", ".lock"


class RunDir:
    """Paths and documents of one run.

    ```
    run.json      settings, versions, seed, fingerprints, state: running, stopped or finished
    log.jsonl     one event a line: steps and evaluations
    model/        the trained model, or adapter/ for an adapter, as transformers and peft read it
    checkpoints/  step-000100/ …, with best and last pointing into it
    data.jsonl    the records, where they came by a pipe
    ```
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.checkpoints = self.path / CHECKPOINTS
        self.log_path, self.data_path = self.path / LOG, self.path / DATA

    @property
    def exists(self) -> bool:
        """Whether a run began here, finished or not."""
        return (self.path / RUN).is_file()

    def document(self) -> dict[str, Any] | None:
        """run.json, or None where there is no run yet."""
        if not self.exists:
            return None
        path = self.path / RUN
        document = load_document(path.read_bytes(), str(path))
        if not isinstance(document, dict):
            raise UserError("must hold a JSON object", where=str(path))
        return document

    def write_document(self, document: dict[str, Any]) -> None:
        """Replace run.json."""
        files.write_bytes(self.path / RUN, pretty(document))

    @property
    def weights(self) -> Path:
        """`adapter/` where the run has one, else `model/`."""
        adapter = self.path / ADAPTER
        return adapter if adapter.is_dir() else self.path / MODEL

    def events(self) -> list[dict[str, Any]]:
        """All events of the log."""
        if not self.log_path.is_file():
            return []
        with files.open_input(str(self.log_path)) as source:
            rows = read_rows(source.stream, str(self.log_path))
            return [row.value for row in rows if isinstance(row, Row)]

    def cut_log(self, size: int) -> None:
        """Forget events after a checkpoint: the steps behind them will be done again."""
        if self.log_path.is_file():
            os.truncate(self.log_path, min(size, self.log_path.stat().st_size))

    @contextmanager
    def log(self) -> Iterator[Log]:
        """Append to the log, an event at a time."""
        with files.naming_errors(str(self.log_path)):
            stream = io.FileIO(self.log_path, "a")
        with stream:
            yield Log(stream, self.log_path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the kernel lets go of it whatever happens to us."""
        descriptor = self._open_lock()
        try:
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            yield
        finally:
            os.close(descriptor)

    def _open_lock(self) -> int:
        lock = self.path / LOCK
        while True:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except FileNotFoundError:
                continue  # its last owner failed and has just removed the directory
            except (FileExistsError, NotADirectoryError):
                raise UserError(
                    "is not a directory", where=str(self.path), code=Exit.CANNOT_CREATE
                ) from None
            except OSError as error:
                raise files.io_error(error, str(self.path)) from None
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                owner = os.read(descriptor, 32).decode(errors="replace") or "?"
                os.close(descriptor)
                if not isinstance(error, BlockingIOError):
                    raise files.io_error(error, str(lock)) from None
                raise UserError(
                    f"is in use by process {owner}", where=str(self.path), code=Exit.LOCKED
                ) from None
            if _is_still(descriptor, lock):
                return descriptor
            os.close(descriptor)


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether `path` names the file that was opened: its last owner may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


class Log:
    """Appends events, a line each; only the last line of the file may be cut."""

    def __init__(self, stream: io.FileIO, path: Path) -> None:
        self._stream, self._path = stream, path

    def append(self, event: dict[str, Any]) -> None:
        """Write one event."""
        line = dumps(event) + b"\n"
        try:
            while line:
                line = line[self._stream.write(line) :]  # a full disk may take a part
        except OSError as error:
            raise files.io_error(error, str(self._path)) from None

    def sync(self) -> int:
        """Bring the log to the disk; the number of bytes in it."""
        try:
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise files.io_error(error, str(self._path)) from None
        return self._stream.tell()


def open_run(path: str | Path) -> tuple[RunDir, dict[str, Any]]:
    """A run and its run.json; raises UserError where there is none."""
    run = RunDir(path)
    document = run.document()
    if document is None:
        raise UserError(
            f"not a run directory (no {RUN})",
            where=str(path),
            hint="pass the folder that `instructune train --output` wrote",
            code=Exit.NO_INPUT,
        )
    return run, document
