"""Records set aside on disk between two passes, to be read again in order or by number."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator
from types import TracebackType

from instructune.files import naming_errors
from instructune.jsonl import Encoded, dumps, loads
from instructune.records import Record

_IN_MEMORY = 32 << 20  # bytes kept before a file is made


def decoded(rows: Iterable[Record | Encoded]) -> Iterator[Record]:
    """The records, one by one, of records and of encoded ones."""
    for row in rows:
        if isinstance(row, Record):
            yield row
        else:
            yield from (Record(loads(line.decode(), line)) for line in row.split(b"\n"))


class Spool:
    """Records in a temporary file; 8 bytes of memory each."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._starts = array("Q", [0])

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._starts) - 1

    def append(self, record: Record | Encoded) -> None:
        """Add a record at the end, or several that are encoded."""
        lines = record.split(b"\n") if isinstance(record, Encoded) else [dumps(record)]
        with naming_errors("the temporary file"):
            self._file.seek(self._starts[-1])
            for line in lines:
                self._starts.append(self._starts[-1] + self._file.write(line))

    def __getitem__(self, number: int) -> Record:
        if not 0 <= number < len(self):
            raise IndexError(number)
        start, end = self._starts[number], self._starts[number + 1]
        self._file.seek(start)
        return next(decoded([Encoded(self._file.read(end - start))]))

    def __iter__(self) -> Iterator[Record]:
        return (self[number] for number in range(len(self)))
