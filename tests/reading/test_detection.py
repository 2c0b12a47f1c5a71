"""detection: the container by name where it is honest, else by content, else what to type."""

from __future__ import annotations

import gzip
import io
from itertools import chain

import pyarrow
import pytest
from pyarrow import parquet

from instructune.errors import UserError
from instructune.jsonl import Row
from instructune.reading.detection import open_blocks, told

CONLL = "# doc\n-DOCSTART- O\n\nIn O\nRome B-LOC\n\nyes O\n"


@pytest.mark.parametrize(
    ("name", "text", "container"),
    [
        ("f.csv", "a,b\n1,2\n", "csv"),
        ("f.csv", "text\nx\n", "csv"),
        ("f.CSV", "text\nx,y\n", "csv"),
        ("f.tsv", "text\tlabel\n", "tsv"),
        ("f.csv", '{"a":1}\n{"a":2}\n', "jsonl"),
        ("f.conll", "a O\n", "conll"),
        ("f.conll.txt", CONLL, "conll"),
        ("f.train", CONLL, "conll"),
        ("-", CONLL, "conll"),
        ("f.txt", '{"a":1}\n', "jsonl"),
        ("f.txt", "oops\n" + '{"a":1}\n', "jsonl"),
        ("f.txt", '[{"a":1}]', "json"),
        ("f.txt", '{\n"a":1}', "json"),
        ("f.txt", "[The cook] left\n", "text"),
        ("f.txt", "[1] a note\n", "text"),
        ("f.txt.dev", "1 [The cook] left\n", "text"),
        ("f", "word\ntwo words\n", "text"),
        ("f.en", "It is.\nWell, no.\nYes.\n", "text"),
        ("f", "a,b\nc,d\n", "text"),  # too little for a table
        ("f.json", '{"a":[' + "1," * 9 + "1]}", "json"),
        ("f.jsonl", "anything\n", "jsonl"),
        ("-", "error: no such table\n", "jsonl"),
        ("f", " \n", "jsonl"),
        ("f.csv", "", "csv"),
        ("f.txt", "PAR1…", "parquet"),
    ],
)
def test_told(name, text, container):
    assert told(name, text.encode()) == container


@pytest.mark.parametrize(
    ("name", "text", "reason", "say"),
    [
        ("f.txt", "a\tb\nc\td\n", "looks like 2 columns between tabs", "tsv:header=NAME+NAME;"),
        ("-", "a\tb\tc\n", "looks like 3 columns between tabs", "tsv:header=NAME+NAME+NAME;"),
        ("f", "a,b\nc,d\n\ne,f\n", "looks like 2 columns between commas", "--container csv if"),
        ("f.csv", "a\tb\n1\t2\n", "looks separated by tabs", "--container tsv, or"),
        ("f.csv", "a;b\n1;2\n", "looks separated by semicolons", "csv:delimiter=;, or"),
        ("f.tsv", "a,b\n1,2\n", "looks separated by commas", "--container csv, or"),
        ("f.html", "<!DOCTYPE html>\n<p>x\n", "looks like a document with markup", "text"),
        ("f.pdf", "%PDF\0\n1\n", "looks like binary data", "--container text"),
    ],
)
def test_what_is_ambiguous_is_refused_with_what_to_type(name, text, reason, say):
    with pytest.raises(UserError) as caught:
        told(name, text.encode())
    assert caught.value.reason.startswith(reason)
    assert say in caught.value.hint
    assert (caught.value.where, caught.value.code) == (name, 65)


def open_rows(*source):
    return chain.from_iterable(open_blocks(*source))


def values(name: str, container=None, encoding=None) -> list:
    hashes: dict[str, str] = {}
    found = [row.value for row in open_rows(name, container, encoding, hashes) if row]
    assert name in hashes
    return found


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("f.csv", "text,n\n漢,1\n", [{"text": "漢", "n": "1"}]),
        ("f.tsv", "text\tn\n漢\t1\n", [{"text": "漢", "n": "1"}]),
        ("f.jsonl", '{"text":"漢"}\n', [{"text": "漢"}]),
        ("f.json", '[{"text":"漢"}]', [{"text": "漢"}]),
        ("f.conll", "漢 B-X\n", [{"tokens": ["漢"], "tags": ["B-X"]}]),
        ("f.txt", "some 漢\n", [{"text": "some 漢"}]),
    ],
)
def test_marked_encodings_are_read_as_if_they_were_utf8(write, encoding, name, text, found):
    assert values(write(name, text.encode(encoding))) == found
    assert values(write(f"{name}.gz", gzip.compress(text.encode(encoding)))) == found


def test_a_foreign_encoding_is_refused_or_read_as_named(write):
    text = "department,ask\n心血管科,高血压患者能吃党参吗？\n"
    path = write("f.csv", text.encode("gb18030"))
    with pytest.raises(UserError, match=r"looks like GB18030\n.*--encoding gb18030"):
        values(path)
    assert values(path, None, "gb18030") == [
        {"department": "心血管科", "ask": "高血压患者能吃党参吗？"}
    ]
    path = write("f.jsonl", '{"text":"高血压"}\n{"text":"a"}\n'.encode("gb18030"))
    assert [type(row) is Row for row in open_rows(path, None, None, {})] == [False, True]
    assert values(path, None, "gb18030") == [{"text": "高血压"}, {"text": "a"}]


def test_a_container_that_was_named_wins(write):
    path = write("f.jsonl", "a,b\n1,2\n")
    assert values(path, "csv") == [{"a": "1", "b": "2"}]
    assert values(path, "csv:header=x+y,skip=1") == [{"x": "1", "y": "2"}]
    assert values(path, "text") == [{"text": "a,b"}, {"text": "1,2"}]
    with pytest.raises(UserError, match="container 'csv' has no option 'headr'"):
        values(path, "csv:headr=x")


def test_parquet_under_any_name(write):
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist([{"text": "a"}]), out)
    for name in "f.parquet", "f.txt", "f":
        assert values(write(name, out.getvalue())) == [{"text": "a"}]
    assert values(write("f.gz", gzip.compress(out.getvalue()))) == [{"text": "a"}]
    with pytest.raises(UserError, match="broken Parquet data"):
        values(write("g.parquet", b"not so\n"))


def test_the_other_file_of_a_pair_is_hashed_too(write):
    one, two = write("f.en", "Hi.\nYes.\n"), write("f.zh", "嗨。\n是。\n")
    hashes: dict[str, str] = {}
    rows = list(open_rows(one, f"parallel:other={two},names=en+zh", None, hashes))
    assert [row.value for row in rows if row] == [
        {"en": "Hi.", "zh": "嗨。"},
        {"en": "Yes.", "zh": "是。"},
    ]
    assert list(hashes) == [one, two]
    write("f.zh", "嗨。\n是。\n".encode("gb18030"))
    with pytest.raises(UserError, match=r"f\.zh: not UTF-8; it looks like GB18030"):
        list(open_rows(one, f"parallel:other={two}", None, hashes))
