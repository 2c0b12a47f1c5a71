"""containers.tsv: a row a line, cells as they are or quoted all over."""

from __future__ import annotations

import io

import pytest

from instructune.containers import tsv
from instructune.errors import UserError
from instructune.jsonl import BadRow, Row


def read(data: bytes | str, **options) -> list:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(tsv.read(stream, "f", tsv.Options(**options)))


@pytest.mark.parametrize(
    ("cell", "balanced"),
    [
        ("plain", "plain"),
        ('"He said ""no""."', 'He said "no".'),
        ('"""No,"" he said."', '"No," he said.'),
        ('"No," he said.', '"No," he said.'),
        ('"No," he said. "Yes."', '"No," he said. "Yes."'),
        ('5" wide', '5" wide'),
        ('"', '"'),
        ('""', ""),
        (" a ", " a "),
        ("", ""),
    ],
)
def test_quotes(cell, balanced):
    data = f"a\tb\n{cell}\tx\n"
    assert [row.value["a"] for row in read(data)] == [balanced]
    assert [row.value["a"] for row in read(data, quotes="keep")] == [cell]


def test_rows_blank_lines_and_bad_rows():
    assert read("\ufeffa\tb\r\n1\t2\r\n\r\n1\n\t\n".encode() + b"\xff\t2\n3\t4") == [
        Row("f:2", {"a": "1", "b": "2"}, b"1\t2\r\n"),
        None,
        BadRow("f:4", "has 1 cells where the header has 2", "1"),
        None,
        BadRow("f:6", "not UTF-8 (byte 0xff at offset 0, looks like Latin-1)", "\\xff\t2"),
        Row("f:7", {"a": "3", "b": "4"}, b"3\t4"),
    ]


def test_names_as_given_for_a_file_without():
    options = {"header": ("en", "zh"), "skip": 1}
    assert [row.value for row in read("x\nHi.\t嗨。\n", **options)] == [{"en": "Hi.", "zh": "嗨。"}]
    with pytest.raises(UserError, match=r"f:1: column 2 has no name\n.*tsv:unnamed=NAME"):
        read("a\t\n1\t2\n")
    assert read("a\t\n1\t2\n", unnamed="n")[0].value == {"a": "1", "n": "2"}
