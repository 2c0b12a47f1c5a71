"""A run directory: what `train` leaves behind, file by file, and the lock on it."""

from __future__ import annotations

import fcntl
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

    def document(self) -> dict[str, Any] | None:
        """run.json, or None where there is no run yet."""
        path = self.path / RUN
        return load_document(path.read_bytes(), str(path)) if path.is_file() else None

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
            os.truncate(self.log_path, size)

    @contextmanager
    def log(self) -> Iterator[Log]:
        """Append to the log, an event at a time."""
        with open(self.log_path, "ab", buffering=0) as stream:
            yield Log(stream)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the kernel lets go of it whatever happens to us."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except NotADirectoryError:
            raise UserError(
                "is not a directory", where=str(self.path), code=Exit.CANNOT_CREATE
            ) from None
        except FileExistsError:
            raise UserError(
                "is not a directory", where=str(self.path), code=Exit.CANNOT_CREATE
            ) from None
        except PermissionError:
            raise UserError("not writable", where=str(self.path), code=Exit.PERMISSION) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.read(descriptor, 32).decode() or "?"
                raise UserError(
                    f"is in use by process {owner}", where=str(self.path), code=Exit.LOCKED
                ) from None
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            yield
        finally:
            os.close(descriptor)


class Log:
    """Appends events; each is one write, so a line is whole or cut at the end of the file."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def append(self, event: dict[str, Any]) -> None:
        """Write one event."""
        try:
            self._stream.write(dumps(event) + b"\n")
        except OSError as error:
            raise files.io_error(error, self._stream.name) from None

    @property
    def size(self) -> int:
        """Bytes written so far, all runs of this log together."""
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
