"""Tables: the names of columns, from the first row or as given, and rows that must fit them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from instructune.containers._lines import Line
from instructune.errors import UserError, usage
from instructune.jsonl import BadRow, Row, as_text


@dataclass(frozen=True)
class TableOptions:
    """`header`: the columns of a file without names. `skip`: lines to pass over at its start.

    `unnamed`: what to call the column whose name is empty.
    """

    header: tuple[str, ...] = ()
    skip: int = 0
    unnamed: str = ""

    def __post_init__(self) -> None:
        if self.skip < 0:
            raise usage(f"skip must be at least 0, got {self.skip}", where="--container")
        if repeated := [name for name, n in Counter(self.header).items() if n > 1]:
            raise usage(f"header names {repeated[0]!r} twice", where="--container")


class Cells(NamedTuple):
    """A row of a table: its physical lines, and its cells or what is wrong with it."""

    lines: list[Line]
    cells: list[str]
    fault: str = ""

    @property
    def raw(self) -> bytes:
        """The row as it stood."""
        return b"".join(line.raw for line in self.lines)


def table(
    rows: Iterable[Cells], name: str, options: TableOptions, container: str
) -> Iterator[Row | BadRow | None]:
    """Yield a Row for each row of the table; None for a blank one."""
    names = list(options.header)
    for row in rows:
        where = f"{name}:{row.lines[0].number}"
        if row.fault:
            if not names:
                raise UserError(f"no header: {row.fault}", where=where)
            yield BadRow(where, row.fault, as_text(row.raw))
        elif not row.cells:
            yield None
        elif not names:
            names = _names(row.cells, where, options, container)
        elif len(row.cells) != len(names):
            reason = f"has {len(row.cells)} cells where the header has {len(names)}"
            yield BadRow(where, reason, as_text(row.raw))
        else:
            yield Row(where, dict(zip(names, row.cells, strict=True)), row.raw)


def _names(cells: list[str], where: str, options: TableOptions, container: str) -> list[str]:
    names = [cell or options.unnamed for cell in cells]
    if "" in names:
        raise UserError(
            f"column {names.index('') + 1} has no name",
            where=where,
            hint=f"name it: --container {container}:unnamed=NAME",
        )
    for column, count in Counter(names).items():
        if count > 1:
            columns = "+".join("NAME" for _ in names)
            raise UserError(
                f"{count} columns are called {column!r}",
                where=where,
                hint=f"name them all: --container {container}:skip=1,header={columns}",
            )
    return names
