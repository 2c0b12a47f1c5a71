"""containers.json: elements one by one with their lines; no cut array passes for a whole one."""

from __future__ import annotations

import io
import json as stdlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.containers import json
from instructune.errors import UserError
from instructune.jsonl import BadRow, Row


def read(data: bytes | str, **options) -> list:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(json.read(stream, "f", json.Options(**options)))


def rows(data: bytes | str, **options) -> list:
    return [(row.where, row.value) for row in read(data, **options)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('[{"a":1},{"a":2}]', [("f:1", {"a": 1}), ("f:1", {"a": 2})]),
        ("[]", []),
        (" \n[\n]\n\n", []),
        ('\ufeff[{"a":1}]', [("f:1", {"a": 1})]),
        ('{"a":1}', [("f:1", {"a": 1})]),
        ('\n\n{\n  "a": 1\n}\n', [("f:3", {"a": 1})]),
        ('[{"a":"],[\\"}"}]', [("f:1", {"a": '],["}'})]),
    ],
)
def test_arrays_and_one_object(data, expected):
    assert rows(data) == expected


def test_elements_of_a_pretty_printed_array_are_at_the_lines_they_start_on():
    value = [{"a": {"b": [1, 2]}, "t": "x\ny"}, {"a": {}}, {"a": 3}]
    text = stdlib.dumps(value, indent=2)
    lines = text.split("\n")
    starts = [i + 1 for i, line in enumerate(lines) if line.startswith("  {")]
    assert rows(text) == [(f"f:{n}", v) for n, v in zip(starts, value, strict=True)]
    crlf = text.replace("\n", "\r\n")
    assert rows(crlf) == rows(text)


def test_a_bad_element_is_told_and_reading_goes_on():
    found = read('[\n{"a":1},\n{"a":NaN},\n{"a":1,"a":2},\n5,\n"x",\n{"a":"\\ud800"},\n{"a":2}\n]')
    assert [type(row) for row in found] == [Row, BadRow, BadRow, BadRow, BadRow, BadRow, Row]
    assert [(row.where, row.reason, row.text) for row in found if isinstance(row, BadRow)] == [
        ("f:3", "non-finite number NaN", '{"a":NaN}'),
        ("f:4", "duplicate key 'a'", '{"a":1,"a":2}'),
        ("f:5", "not a JSON object but a number", "5"),
        ("f:6", "not a JSON object but a string", '"x"'),
        ("f:7", "lone surrogate in a string", '{"a":"\\ud800"}'),
    ]
    assert found[0].text == b'{"a":1}'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('[{"a":1},\n]', "f:2: trailing comma in the array; the rest is unread"),
        ('[{"a":1}\n{"a":2}]', "f:2: expected ',' or ']'; the rest is unread"),
        ('[{"a":1}\n', "f:2: expected ',' or ']'; the rest is unread"),
        ('[{"a":1}]\n\n[]', "f:3: extra data after the array; the rest is unread"),
        (
            '{"a":1}\n{"a":2}',
            "f:2: extra data after the object (JSON lines end in .jsonl); the rest is unread",
        ),
        (
            '[{"a":1},\n{"a":\n',
            "f:2: not JSON (expecting value in line 3); the rest is unread",
        ),
        (
            '[{"a":1},\n{"a":\n  x}]',
            "f:2: not JSON (expecting value in line 3); the rest is unread",
        ),
        (
            '[{"a":1},{"a":"x',
            "f:1: not JSON (unterminated string starting in line 1); the rest is unread",
        ),
        ("[,]", "f:1: not JSON (expecting value in line 1); the rest is unread"),
        ("[" * 100_000, "f:1: nested deeper than 200; the rest is unread"),
        (b'[{"a":1},\n{"a":"\xff"}]', "f:2: not UTF-8 (byte 0xff); the rest is unread"),
        (b'[{"a":1}]\n\xc3', "f:2: not UTF-8 (byte 0xc3); the rest is unread"),
    ],
)
def test_a_broken_array_is_an_error_of_the_whole_file(data, message):
    with pytest.raises(UserError) as caught:
        read(data)
    assert str(caught.value) == message
    assert caught.value.code == 65


def test_good_elements_come_before_the_error():
    found = json.read(io.BytesIO(b'[{"a":1},{"a":2},,'), "f")
    assert [next(found).value["a"] for _ in range(2)] == [1, 2]
    with pytest.raises(UserError):
        next(found)


@given(
    st.lists(
        st.dictionaries(st.text(max_size=8), st.text() | st.integers() | st.none(), max_size=3)
    ),
    st.integers(1, 9),
    st.sampled_from([None, 0, 3]),
)
def test_the_size_of_blocks_changes_nothing(value, block, indent):
    data = stdlib.dumps(value, indent=indent, ensure_ascii=False)
    whole = rows(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json, "_BLOCK", block)
        assert rows(data) == whole
    assert [v for _, v in whole] == value


def test_numbers_are_not_cut_between_blocks(monkeypatch):
    monkeypatch.setattr(json, "_BLOCK", 3)
    assert [row.text for row in read("[12345, 67]")] == ["12345", "67"]


def test_a_huge_array_takes_little_memory():
    element = b'{"text":"' + b"x" * 1000 + b'"}'

    class Stream(io.RawIOBase):
        left, head = 20_000, b"["

        def readable(self) -> bool:
            return True

        def read(self, size=-1) -> bytes:
            n = min(self.left, max(1, size // len(element)))
            if not n:
                return b""
            self.left -= n
            head, self.head = self.head, b","
            return head + b",".join([element] * n) + (b"" if self.left else b"]")

    tracemalloc.start()
    try:
        count = sum(1 for _ in json.read(Stream(), "f"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 20 << 20


def test_an_element_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(json, "MAX_LINE", 4 << 20)
    monkeypatch.setattr(json, "_BLOCK", 1 << 16)
    stream = io.BytesIO(b'[{"a":"' + b"x" * (64 << 20))
    with pytest.raises(UserError, match="element longer than 4 MiB, or not JSON"):
        list(json.read(stream, "f"))
    assert stream.tell() < 32 << 20


def test_the_rows_under_a_key():
    data = '{"v": 1,\n "x": [[1]], "data": [\n{"a":1},\n{"a":2}], "more": {"data": [{"a":3}]}}'
    assert rows(data, rows="data") == [("f:3", {"a": 1}), ("f:4", {"a": 2})]
    assert rows('{"data":[]}', rows="data") == []
    assert read('{"data":[5,{"a":NaN},{"a":1}]}', rows="data")[2].value == {"a": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('{"v":[]}', "f:1: no key 'data', named in rows=data: found ['v']; the rest is unread"),
        ("[]", "f:1: no object with the key 'data'; the rest is unread"),
        ('{"data":[{"a":1}', "f:1: expected ',' or ']'; the rest is unread"),
        ('{"data":[{"a":1}]', "f:1: expected ',' or '}'; the rest is unread"),
        ('{"data":[],}', "f:1: trailing comma in the object; the rest is unread"),
        ('{"data" []}', "f:1: expected a key and ':'; the rest is unread"),
        ("{5:[]}", "f:1: expected a key and ':'; the rest is unread"),
        ('{"data":[]} x', "f:1: extra data after the object (JSON lines end in .jsonl)"),
    ],
)
def test_rows_that_are_not_there_are_told(data, message):
    with pytest.raises(UserError) as caught:
        read(data, rows="data")
    assert str(caught.value).startswith(message)


def test_a_whole_array_as_one_row():
    data = '[\n{"role":"user"},\n{"role":"assistant"}]\n'
    turns = [{"role": "user"}, {"role": "assistant"}]
    assert rows(data, whole="messages") == [("f:1", {"messages": turns})]
    assert rows('{"a":1}', whole="messages") == [("f:1", {"a": 1})]
    assert read('[1,{"a":NaN}]', whole="m")[0].reason == "non-finite number NaN"
    with pytest.raises(UserError, match="whole leaves nothing to rows or wrap"):
        json.Options(whole="m", wrap="text")


def test_elements_that_are_no_objects_can_be_wrapped():
    assert rows('["a", {"b":1}, [2]]', wrap="text") == [
        ("f:1", {"text": "a"}),
        ("f:1", {"b": 1}),
        ("f:1", {"text": [2]}),
    ]
