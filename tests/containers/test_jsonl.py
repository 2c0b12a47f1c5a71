"""containers.jsonl: the rows of instructune.jsonl, under its extensions."""

from __future__ import annotations

import io

from instructune.containers import jsonl
from instructune.jsonl import BadRow


def test_rows_bad_rows_and_blank_lines():
    row, blank, bad = jsonl.read(io.BytesIO(b'{"a":1}\n\nx\n'), "f")
    assert (row.where, row.value, blank) == ("f:1", {"a": 1}, None)
    assert isinstance(bad, BadRow)


def test_extensions():
    assert jsonl.EXTENSIONS == (".jsonl", ".ndjson")


def test_values_that_are_no_objects_can_be_wrapped():
    data = b'"a"\n{"b":1}\n5\nnull\n[1]\n'
    options = jsonl.Options(wrap="text")
    assert [row.value for row in jsonl.read(io.BytesIO(data), "f", options)] == [
        {"text": "a"},
        {"b": 1},
        {"text": 5},
        {"text": None},
        {"text": [1]},
    ]
    assert [type(row) for row in jsonl.read(io.BytesIO(b'"a"\n'), "f")] == [BadRow]
