"""containers.text: a row a line."""

from __future__ import annotations

import io

import pytest

from instructune.containers import text
from instructune.errors import UserError
from instructune.jsonl import BadRow, Row


def read(data: bytes, name="f", **options) -> list:
    return list(text.read(io.BytesIO(data), name, text.Options(**options)))


def test_lines_blanks_and_bad_bytes():
    data = "\ufeffone\r\n \t\n two \u2028\x0b\x85\n# x\n".encode() + b"\xd6\xd0\xce\xc4\n" + b"end"
    assert read(data) == [
        Row("f:1", {"text": "one"}, b"one\r\n"),
        None,
        Row("f:3", {"text": " two \u2028\x0b\x85"}, " two \u2028\x0b\x85\n".encode()),
        Row("f:4", {"text": "# x"}, b"# x\n"),
        BadRow(
            "f:5",
            "not UTF-8 (byte 0xd6 at offset 0, looks like GB18030)",
            "\\xd6\\xd0\\xce\\xc4",
        ),
        Row("f:6", {"text": "end"}, b"end"),
    ]


def test_comments_and_the_name_of_the_file():
    assert read(b"# x\na\n", comment="#") == [None, Row("f:2", {"text": "a"}, b"a\n")]
    (row,) = read(b"a\n", "d/spam.en.txt", file_as="label")
    assert row.value == {"text": "a", "label": "spam"}
    with pytest.raises(UserError, match="file_as cannot be text"):
        text.Options(file_as="text")


def test_a_line_that_never_ends_is_told_and_the_next_one_read(monkeypatch):
    monkeypatch.setattr("instructune.containers._lines.MAX_LINE", 1 << 20)
    bad, good = read(b"x" * (3 << 20) + b"\na\n")
    assert (bad.where, bad.reason) == ("f:1", "line longer than 1 MiB")
    assert good.value == {"text": "a"}
