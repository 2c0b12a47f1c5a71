"""Tables: columns by display width, numbers to the right, drawn only on a terminal."""

from __future__ import annotations

import io
import sys

from instructune.commands.tables import plain, print_tables

ROWS = [{"name": "a", "rows": 1234, "share": "5%"}, {"name": "中文", "rows": 5}]


def test_columns_are_aligned():
    assert plain("Title", ROWS) == [
        "Title",
        "  name   rows  share",
        "  a     1,234     5%",
        "  中文      5",
    ]


def test_a_cell_is_one_short_line_and_drives_nothing():
    title, _, line, wide = plain("\x1b[1m", [{"x": "a\nb\tc\x1b\u202e"}, {"x": "中" * 99}])
    assert title == r"\x1b[1m"
    assert line == r"  a b c\x1b\u202e"
    assert wide == "  " + "中" * 29 + " …"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_drawn_on_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    told = Terminal()
    monkeypatch.setattr(sys, "stdout", told)
    print_tables({"Title": [{"name": "[red]\x1b[2J", "rows": 1234}], "Empty": []})
    out = told.getvalue()
    assert out.startswith("Title")
    assert "─" in out
    assert r"[red]\x1b[2J" in out
    assert "1,234" in out
    assert "Empty" not in out


def test_lines_for_a_pipe(capsys):
    print_tables({"Title": ROWS, "Empty": []})
    assert capsys.readouterr().out.splitlines() == plain("Title", ROWS)
