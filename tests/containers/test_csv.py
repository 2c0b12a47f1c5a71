"""containers.csv: RFC 4180 rows at their first line, and no row lost to a bad quote."""

from __future__ import annotations

import csv as stdlib
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.containers import csv
from instructune.errors import UserError
from instructune.jsonl import BadRow, Row


def read(data: bytes | str, **options) -> list:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(csv.read(stream, "f", csv.Options(**options)))


def rows(data: bytes | str, **options) -> list:
    return [(row.where, row.value) for row in read(data, **options)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("a,b\n1,2\n", [("f:2", {"a": "1", "b": "2"})]),
        ("a,b\r\n1,2\r\n3,4", [("f:2", {"a": "1", "b": "2"}), ("f:3", {"a": "3", "b": "4"})]),
        ("\ufeffa,b\n1,2\n", [("f:2", {"a": "1", "b": "2"})]),
        ('a,b\n"x, ""y""",\n', [("f:2", {"a": 'x, "y"', "b": ""})]),
        ('"a b",b\n1,it"s\n', [("f:2", {"a b": "1", "b": 'it"s'})]),
        ("a\n\u2028x\x0by\x85z\n", [("f:2", {"a": "\u2028x\x0by\x85z"})]),
        ("a,b\n", []),
        ("", []),
        ("\ufeff", []),
    ],
)
def test_rows(data, expected):
    assert rows(data) == expected


def test_line_ends_inside_quotes_stay_and_the_row_is_at_its_first_line():
    found = read('a,b\r\n"one\r\ntwo\n\nfour",x\r\nnext,y\r\n')
    assert found == [
        Row("f:2", {"a": "one\r\ntwo\n\nfour", "b": "x"}, b'"one\r\ntwo\n\nfour",x\r\n'),
        Row("f:6", {"a": "next", "b": "y"}, b"next,y\r\n"),
    ]


def test_blank_lines_are_none_and_wrong_widths_are_bad_rows():
    assert read('a,b\n\n1\n1,2,3\n"x\ny"\n1,2\n') == [
        None,
        BadRow("f:3", "has 1 cells where the header has 2", "1"),
        BadRow("f:4", "has 3 cells where the header has 2", "1,2,3"),
        BadRow("f:5", "has 1 cells where the header has 2", '"x\ny"'),
        Row("f:7", {"a": "1", "b": "2"}, b"1,2\n"),
    ]


def test_a_quote_that_is_never_closed_takes_only_its_own_line():
    found = read('a,b\n1,2\n"open,3\n4,5\n6,7\n')
    assert [row.where for row in found] == ["f:2", "f:3", "f:4", "f:5"]
    assert found[1] == BadRow("f:3", "not CSV (unexpected end of data)", '"open,3')
    assert [row.value["a"] for row in found if isinstance(row, Row)] == ["1", "4", "6"]
    found = read('a,b\n"open,3\n4,5\n"x",7\n')  # closed by the next quote, which x follows
    assert [type(row) for row in found] == [BadRow, Row, Row]
    assert found[0].reason == "not CSV (',' expected after '\"')"


def test_bytes_that_are_no_text_are_the_matter_of_their_row():
    found = read(b'a,b\n"x\n\xff\xfe",1\ny,2\n')
    assert found[0].where == "f:2"
    assert found[0].reason == "not UTF-8 (byte 0xff at offset 0, looks like Latin-1)"
    assert found[0].text == '"x\n\\xff\\xfe",1'
    assert found[1].value == {"a": "y", "b": "2"}


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (",b\n", {}, "f:1: column 1 has no name\n  hint: name it: --container csv:unnamed=NAME"),
        (
            "\na,b,a\n",
            {},
            "f:2: 2 columns are called 'a'\n  hint: name them all: --container "
            "csv:skip=1,header=NAME+NAME+NAME",
        ),
        (",b\n", {"unnamed": "b"}, "f:1: 2 columns are called 'b'"),
        ('"a\n', {}, "f:1: no header: not CSV (unexpected end of data)"),
        (b"\xff,a\n", {}, "f:1: no header: not UTF-8"),
    ],
)
def test_headers_that_cannot_be_used(data, options, message):
    with pytest.raises(UserError) as caught:
        read(data, **options)
    assert str(caught.value).startswith(message)
    assert caught.value.code == 65


def test_options():
    expected = [("f:1", {"x": "1", "y": "2"}), ("f:2", {"x": "3", "y": "4"})]
    assert rows("1,2\n3,4\n", header=("x", "y")) == expected
    assert rows("1;2\n3;4\n", header=("x", "y"), delimiter=";") == expected
    assert rows("1\t2\n3\t4\n", header=("x", "y"), delimiter="tab") == expected
    assert rows("made by X\n\na,b\n1,2\n", skip=2) == [("f:4", {"a": "1", "b": "2"})]
    assert rows(",b\n1,2\n", unnamed="n") == [("f:2", {"n": "1", "b": "2"})]


@pytest.mark.parametrize(
    "options",
    [{"delimiter": "ab"}, {"delimiter": ""}, {"delimiter": '"'}, {"skip": -1}, {"header": "aa"}],
)
def test_wrong_options_are_told(options):
    with pytest.raises(UserError) as caught:
        csv.Options(**options)
    assert caught.value.code == 2


cell = st.text(st.sampled_from('ab,";\n \té漢\u2028\x0b'), max_size=6)


@given(
    st.lists(st.lists(cell, min_size=2, max_size=2), max_size=6), st.sampled_from(["\n", "\r\n"])
)
def test_what_the_standard_library_writes_is_read_back(table, end):
    out = io.StringIO(newline="")
    stdlib.writer(out, lineterminator=end).writerows([["x", "y"], *table])
    found = [row for row in read(out.getvalue()) if row]
    assert [[row.value["x"], row.value["y"]] for row in found] == table


@given(st.text(st.sampled_from('ab,"\n'), max_size=60))
def test_every_physical_line_is_in_exactly_one_row(text):
    data = "x,y\n" + text + ("" if text.endswith("\n") or not text else "\n")
    found = read(data)
    lines = data.split("\n")[1:-1]
    seen = 0
    for row in found:
        if row is None:
            seen += 1
        else:
            shown = row.text if isinstance(row, BadRow) else row.text.decode().removesuffix("\n")
            assert shown.split("\n") == lines[seen : seen + shown.count("\n") + 1]
            assert row.where == f"f:{seen + 2}"
            seen += shown.count("\n") + 1
    assert seen == len(lines)


def test_a_large_file_takes_little_memory():
    line = b"x" * 1000 + b",y\n"

    class Stream(io.RawIOBase):
        left = 20_000

        def readline(self, size=-1):
            self.left -= 1
            return b"a,b\n" if self.left == 19_999 else line if self.left >= 0 else b""

    tracemalloc.start()
    try:
        count = sum(1 for _ in csv.read(Stream(), "f"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 19_999
    assert peak < 1 << 20
