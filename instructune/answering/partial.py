"""An output that grows window by window and survives being killed: `FILE.partial`."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from instructune import files
from instructune.errors import Exit, UserError
from instructune.jsonl import Row, dumps, load_document, pretty, read_rows

_ANEW = "--overwrite begins anew"


class Partial:
    """Rows written so far beside the output they will become, and the settings they have.

    The rows stay until `remove`, so that whoever is killed while the output is put in place finds
    nothing left to compute.
    """

    def __init__(self, output: str, settings: dict[str, Any], *, overwrite: bool) -> None:
        self.output, self.settings, self.overwrite = output, settings, overwrite
        self.name = f"{output}.partial"
        target = os.path.realpath(output)
        self.path, self.settings_path = Path(f"{target}.partial"), Path(f"{target}.partial.json")
        self._descriptor = -1

    @contextmanager
    def opened(self, window: int) -> Iterator[None]:
        """Hold the rows for this process, cut to whole windows of `window` rows.

        Raises UserError: 73 where they have other settings, 75 where another process holds them.
        """
        with files.naming_errors(self.output):
            self._descriptor = self._locked()
        try:
            with files.naming_errors(self.output):
                self._check_settings()
                os.ftruncate(self._descriptor, self._whole(window))
            yield
        finally:
            if not os.fstat(self._descriptor).st_size:  # nothing to go on from
                self.remove()
            os.close(self._descriptor)

    def _locked(self) -> int:
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with suppress(FileNotFoundError):  # removed while we opened it, by who held it
                    if os.path.samestat(os.fstat(descriptor), self.path.stat()):
                        return descriptor
            except BlockingIOError:
                os.close(descriptor)
                raise UserError(
                    "is being written by another process", where=self.output, code=Exit.LOCKED
                ) from None
            os.close(descriptor)

    def _check_settings(self) -> None:
        if self.overwrite:
            self.settings_path.unlink(missing_ok=True)
        before = None
        with suppress(FileNotFoundError):
            before = load_document(self.settings_path.read_bytes(), str(self.settings_path))
        if before is None:
            os.ftruncate(self._descriptor, 0)
            files.write_bytes(self.settings_path, pretty(self.settings))
        elif before != self.settings:
            names = before.keys() | self.settings.keys()
            changed = sorted(k for k in names if before.get(k) != self.settings.get(k))
            raise UserError(
                f"was begun with other settings ({', '.join(changed)})",
                where=self.name,
                hint=_ANEW,
                code=Exit.CANNOT_CREATE,
            )

    def _whole(self, window: int) -> int:
        """Bytes of the whole windows: a kill may have cut a row, or a window between rows."""
        end = at = rows = 0
        with open(self.path, "rb") as lines:
            for line in lines:
                at += len(line)
                rows += line.endswith(b"\n")
                if line.endswith(b"\n") and rows % window == 0:
                    end = at
        return end

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows kept from before."""
        with files.open_input(str(self.path)) as source:
            for row in read_rows(source.stream, self.name):
                if not isinstance(row, Row):
                    raise UserError("is damaged", where=self.name, hint=_ANEW)
                yield row.value

    def append(self, rows: list[dict[str, Any]]) -> None:
        """Write one window."""
        view = memoryview(b"".join(dumps(row) + b"\n" for row in rows))
        with files.naming_errors(self.name):
            while view:
                view = view[os.write(self._descriptor, view) :]

    def commit(self) -> None:
        """Put all rows in the output's place, whole."""
        with open(self.path, "rb") as rows, files.open_output(self.output) as out:
            shutil.copyfileobj(rows, out)

    def remove(self) -> None:
        """Forget the rows."""
        self.settings_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
