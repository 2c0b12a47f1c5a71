"""containers.parquet: cells as JSON has them, from files and pipes alike."""

from __future__ import annotations

import datetime
import decimal
import hashlib
import io

import pyarrow
import pytest
from pyarrow import parquet as writer

from instructune.containers import parquet
from instructune.errors import UserError
from instructune.files import open_input
from instructune.jsonl import BadRow


def packed(rows: list, schema=None) -> bytes:
    out = io.BytesIO()
    writer.write_table(pyarrow.Table.from_pylist(rows, schema), out, row_group_size=700)
    return out.getvalue()


def test_cells_as_json_has_them():
    when = datetime.datetime(2023, 4, 27, 1, 2, 3)
    schema = pyarrow.schema(
        [
            ("text", pyarrow.string()),
            ("n", pyarrow.int64()),
            ("when", pyarrow.timestamp("us")),
            ("price", pyarrow.decimal128(10, 2)),
            ("raw", pyarrow.binary()),
            ("meta", pyarrow.struct([("src", pyarrow.string()), ("days", pyarrow.date32())])),
            ("map", pyarrow.map_(pyarrow.string(), pyarrow.int32())),
            ("words", pyarrow.list_(pyarrow.string())),
        ]
    )
    row = {
        "text": "a漢",
        "n": 2**60,
        "when": when,
        "price": decimal.Decimal("1.50"),
        "raw": b"\xff",
        "meta": {"src": None, "days": when.date()},
        "map": [("k", 1)],
        "words": ["x", None],
    }
    (found,) = parquet.read(io.BytesIO(packed([row], schema)), "f")
    assert found.where == "f:1"
    assert found.value == {
        "text": "a漢",
        "n": 2**60,
        "when": "2023-04-27T01:02:03",
        "price": "1.50",
        "raw": "/w==",
        "meta": {"src": None, "days": "2023-04-27"},
        "map": {"k": 1},
        "words": ["x", None],
    }
    assert found.text.startswith('{"text":"a漢"'.encode())


def test_what_json_cannot_hold_is_a_bad_row():
    found = list(parquet.read(io.BytesIO(packed([{"x": 1.5}, {"x": float("nan")}])), "f"))
    assert found[0].value == {"x": 1.5}
    assert found[1] == BadRow("f:2", "x: non-finite number nan", "{'x': nan}")


def test_files_are_read_in_place_and_hashed(write):
    rows = [{"text": f"row {n}"} for n in range(2500)]
    data = packed(rows)
    path = write("f.parquet", data)
    with open_input(path) as source:
        found = list(parquet.read(source.stream, "f"))
        assert source.sha256() == hashlib.sha256(data).hexdigest()
        source.check_unchanged()
    assert [row.value for row in found] == rows
    assert found[-1].where == "f:2500"


@pytest.mark.parametrize("data", [b"PAR1", b"PAR1" + bytes(100), packed([{"a": 1}])[:-9], b"x"])
def test_broken_files_are_told(data):
    with pytest.raises(UserError, match="f: broken Parquet data"):
        list(parquet.read(io.BytesIO(data), "f"))
