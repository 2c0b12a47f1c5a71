"""containers.parallel: lines of two files, never out of step."""

from __future__ import annotations

import io

import pytest

from instructune.containers import parallel
from instructune.errors import UserError
from instructune.jsonl import BadRow, Row


def read(one: bytes, two: bytes, **options) -> list:
    streams = io.BytesIO(one), io.BytesIO(two)
    return list(parallel.read(streams[0], "f", parallel.Options("g", **options), streams[1]))


def test_pairs():
    assert read(b"Hi.\r\n\nNo.", "嗨。\n\n不。\n".encode()) == [
        Row("f:1", {"source": "Hi.", "target": "嗨。"}, "Hi.\r\n嗨。\n".encode()),
        None,
        Row("f:3", {"source": "No.", "target": "不。"}, "No.不。\n".encode()),
    ]
    assert read(b"a\n", b"b\n", names=("en", "zh"))[0].value == {"en": "a", "zh": "b"}


def test_a_side_that_is_blank_or_no_text_is_a_bad_row():
    assert read(b"a\nb\n\xff\n", b"x\n \ny\n")[1:] == [
        BadRow("f:2", "only one side is blank (g)", "b\n "),
        BadRow("f:3", "not UTF-8 (byte 0xff at offset 0, looks like Latin-1)", "\\xff\ny"),
    ]


@pytest.mark.parametrize(("one", "two", "where"), [(b"a\nb\n", b"x\n", "f:2"), (b"", b"x", "g:1")])
def test_files_of_unequal_length_are_refused(one, two, where):
    with pytest.raises(UserError, match="has no partner") as caught:
        read(one, two)
    assert caught.value.where == where


def test_two_names_are_needed():
    for names in (("en",), ("a", "a"), ("a", "b", "c")):
        with pytest.raises(UserError, match="names must be two"):
            parallel.Options("g", names)
