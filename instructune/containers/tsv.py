"""Tab-separated values: a row a line, the first one names the columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Literal

from instructune.containers._lines import is_blank, lines
from instructune.containers._table import Cells, TableOptions, table
from instructune.jsonl import BadRow, Row

EXTENSIONS = (".tsv", ".tab")
TEXT = True


@dataclass(frozen=True)
class Options(TableOptions):
    """`quotes`: `balanced` undoes quoting where a cell is quoted all over, `keep` never does."""

    quotes: Literal["balanced", "keep"] = "balanced"


def read(
    stream: BinaryIO, name: str, options: Options = Options()
) -> Iterator[Row | BadRow | None]:
    """Yield the rows; a line end inside a cell is not known here but to csv:delimiter=tab.

    Half the world writes cells as they are, the other half quotes them as CSV does. A cell is
    taken as quoted if it begins and ends with a quote and all others in it are doubled.
    """
    return table(_rows(stream, options), name, options, "tsv")


def _rows(stream: BinaryIO, options: Options) -> Iterator[Cells]:
    unquotes = options.quotes == "balanced"
    for line in islice(lines(stream), options.skip, None):
        if is_blank(line):
            yield Cells([line], [])
            continue
        cells = line.text.removesuffix("\n").removesuffix("\r").split("\t")
        if unquotes and '"' in line.text:
            cells = [_unquoted(cell) for cell in cells]
        yield Cells([line], cells, line.fault)


def _unquoted(cell: str) -> str:
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"':
        return cell
    inner = cell[1:-1]
    return cell if '"' in inner.replace('""', "") else inner.replace('""', '"')
