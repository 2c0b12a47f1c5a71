"""Titled tables: drawn by rich on a terminal, aligned in plain lines for a pipe."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from instructune.errors import visible

_LONGEST = 60  # columns of a cell in plain lines, and characters of one on a terminal

_BLANKS = re.compile(r"[ \t\n]+")

Rows = Sequence[Mapping[str, Any]]


def print_tables(tables: Mapping[str, Rows]) -> None:
    """Each table under its title, with the keys of its first row as its head; none is empty."""
    drawn = sys.stdout is not None and sys.stdout.isatty()
    for title, rows in tables.items():
        if rows and drawn:
            _draw(title, rows)
        elif rows:
            typer.echo("\n".join(plain(title, rows)))


def plain(title: str, rows: Rows) -> list[str]:
    """The lines of a table: numbers to the right, all else to the left."""
    from rich.cells import cell_len, set_cell_size

    names = list(rows[0])
    cells = [[_cell(name) for name in names]]
    cells += [[_cell(row.get(name, "")) for name in names] for row in rows]
    right = [_is_number(rows[0].get(name)) for name in names]
    widths = [min(max(cell_len(line[i]) for line in cells), _LONGEST) for i, _ in enumerate(names)]
    found = [visible(title)]
    for line in cells:
        parts = []
        for text, width, is_right in zip(line, widths, right, strict=True):
            if cell_len(text) > width:
                text = set_cell_size(text, width - 1) + "…"
            blanks = " " * (width - cell_len(text))
            parts.append(blanks + text if is_right else text + blanks)
        found.append("  " + "  ".join(parts).rstrip())
    return found


def _draw(title: str, rows: Rows) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text  # no markup in what rows hold

    table = Table(box=box.SIMPLE_HEAD)
    for name, value in rows[0].items():
        table.add_column(
            Text(_cell(name)), justify="right" if _is_number(value) else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(_short(_cell(row.get(name, "")))) for name in rows[0]))
    console = Console(file=sys.stdout, emoji=False, highlight=False)
    console.print(Text(visible(title), "bold"))
    console.print(table)


def _cell(value: Any) -> str:
    """A value on one line, with nothing that drives a terminal."""
    text = f"{value:,}" if type(value) is int else str(value)
    return visible(_BLANKS.sub(" ", text))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) or isinstance(value, str) and value.endswith("%")
