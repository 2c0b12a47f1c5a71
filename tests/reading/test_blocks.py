"""blocks: however a stream comes, every row is in one block, with its place."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune import jsonl
from instructune.jsonl import BadRow, Row, read_rows
from instructune.reading import blocks
from instructune.reading.blocks import Block, of_lines, of_rows


class Slow(io.RawIOBase):
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data, self.step = io.BytesIO(data), step

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        part = self.data.read(min(self.step, len(buffer)))
        buffer[: len(part)] = part
        return len(part)


LINES = st.lists(
    st.sampled_from(
        [b'{"a":1}', b"", b"x", b'{"b":"\xff"}', b" ", b'["c"]', b'\xef\xbb\xbf{"d":2}']
    )
)


@given(LINES, st.integers(1, 40), st.booleans())
def test_blocks_hold_the_rows_that_the_stream_has(lines, step, ended):
    data = b"\n".join(lines) + b"\n" * ended
    stream = io.BufferedReader(Slow(data, step), 16)
    found = [row for block in of_lines(stream, "f", "text") for row in block]
    assert found == list(read_rows(io.BytesIO(data), "f", "text"))


def test_a_pipe_s_lines_go_on_as_they_come():
    stream = io.BufferedReader(Slow(b'{"a":1}\n{"a":2}\n', 8), 8)
    first = next(of_lines(stream, "f"))
    assert first == Block("f", b'{"a":1}\n')
    assert list(first) == [Row("f:1", {"a": 1}, b'{"a":1}\n')]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_of_a_line_without_end_no_more_is_held_than_shows_it(monkeypatch, end):
    monkeypatch.setattr(blocks, "MAX_LINE", 100)
    monkeypatch.setattr(jsonl, "MAX_LINE", 100)
    monkeypatch.setattr(blocks, "_BYTES", 16)
    data = b'{"a":1}\n{"b":"' + b"x" * 5000 + b'"}' + end + (b'{"c":3}\n' if end else b"")
    found = list(of_lines(io.BufferedReader(io.BytesIO(data)), "f"))
    assert max(len(block.lines) for block in found) <= 16 + 101 + 1
    rows = [row for block in found for row in block]
    assert rows[0] == Row("f:1", {"a": 1}, b'{"a":1}\n')
    assert isinstance(rows[1], BadRow)
    assert (rows[1].where, rows[1].reason[:15]) == ("f:2", "line longer tha")
    assert [row.where for row in rows[2:]] == (["f:3"] if end else [])


def test_rows_are_cut_by_number_and_by_size(monkeypatch):
    monkeypatch.setattr(blocks, "_ROWS", 3)
    monkeypatch.setattr(blocks, "_BYTES", 10)
    rows = [Row(f"f:{n}", {"n": n}, b"x" * size) for n, size in enumerate([1, 1, 1, 9, 9, 1, 1])]
    found = list(of_rows([*rows, None], "f"))
    assert [len(block.rows) for block in found] == [3, 2, 3]
    assert [row for block in found for row in block] == [*rows, None]
