"""An output that grows window by window and survives being killed: `FILE.partial`."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from instructune import files
from instructune.errors import Exit, UserError
from instructune.jsonl import Row, dumps, load_document, pretty, read_rows


class Partial:
    """Rows written so far, and the settings they were made with."""

    def __init__(self, output: str, settings: dict[str, Any], *, overwrite: bool) -> None:
        self.output = output
        self.path, self.settings_path = Path(f"{output}.partial"), Path(f"{output}.partial.json")
        self.settings, self.overwrite = settings, overwrite

    @contextmanager
    def opened(self, window: int) -> Iterator[BinaryIO]:
        """Append to the rows of whole windows of `window` rows; the rest of the file is cut."""
        with files.naming_errors(str(self.path)):
            stream = cast(BinaryIO, open(self.path, "a+b", buffering=0))  # noqa: SIM115
        with stream:
            try:
                fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    "is being written by another process", where=self.output, code=Exit.LOCKED
                ) from None
            self._check_settings(stream)
            self._keep_whole(stream, window)
            yield stream

    def _check_settings(self, stream: BinaryIO) -> None:
        before = None
        with suppress(FileNotFoundError):
            before = load_document(self.settings_path.read_bytes(), str(self.settings_path))
        if before is None or self.overwrite:
            os.ftruncate(stream.fileno(), 0)
            files.write_bytes(self.settings_path, pretty(self.settings))
        elif before != self.settings:
            changed = [k for k in self.settings if before.get(k) != self.settings[k]]
            raise UserError(
                f"was begun with other settings ({', '.join(changed)})",
                where=str(self.path),
                hint="--overwrite begins anew",
                code=Exit.CANNOT_CREATE,
            )

    def _keep_whole(self, stream: BinaryIO, window: int) -> None:
        ends = [0]
        with open(self.path, "rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    ends.append(ends[-1] + len(line))
        whole = (len(ends) - 1) // window * window
        os.ftruncate(stream.fileno(), ends[whole])

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows kept from before."""
        with files.open_input(str(self.path)) as source:
            for row in read_rows(source.stream, str(self.path)):
                if not isinstance(row, Row):
                    raise UserError(
                        "is damaged", where=str(self.path), hint="--overwrite begins anew"
                    )
                yield row.value

    def append(self, stream: BinaryIO, rows: list[dict[str, Any]]) -> None:
        """Write one window."""
        with files.naming_errors(str(self.path)):
            data = b"".join(dumps(row) + b"\n" for row in rows)
            view = memoryview(data)
            while view:
                view = view[os.write(stream.fileno(), view) :]

    def commit(self) -> None:
        """Give the finished file its name."""
        with files.naming_errors(self.output):
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(self.path, self.output)  # noqa: PTH105
            self.settings_path.unlink()
            files.sync_directory(Path(self.output).resolve().parent)
