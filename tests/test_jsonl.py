"""jsonl: what is a row, what is not, and what is kept of each, byte for byte."""

from __future__ import annotations

import io
import json
import math
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune import jsonl
from instructune.errors import UserError
from instructune.jsonl import BadRow, Row, RowWriter, dumps, load_document, loads, read_rows

OVER = 2 * 10**308 + 1

# Refused though Python's parser, or its habits, would take them; {file of the suite: bytes}.
MUST_FAIL = {
    "NaN": b"[NaN]",
    "infinity": b"[Infinity]",
    "minus_infinity": b"[-Infinity]",
    "100000_opening_arrays": b"[" * 100_000,
    "open_array_object": b'[{"":' * 50_000,
    "array_1_true_without_comma": b"[1 true]",
    "array_extra_comma": b'["",]',
    "array_double_comma": b"[1,,2]",
    "array_unclosed": b'[""',
    "array_just_minus": b"[-]",
    "incomplete_true": b"[tru]",
    "number_-01": b"[-01]",
    "number_.2e-3": b"[.2e-3]",
    "number_2.e3": b"[2.e3]",
    "number_1eE2": b"[1eE2]",
    "number_0x42": b"[0x42]",
    "number_+1": b"[+1]",
    "number_1_000": b"[1 000.0]",
    "number_fullwidth_digit": "[１]".encode(),
    "object_trailing_comma": b'{"id":0,}',
    "object_unquoted_key": b"{a: 1}",
    "object_single_quote": b"{'a':0}",
    "object_trailing_comment": b'{"a":"b"}/**/',
    "object_repeated_null_null": b"{null:null,null:null}",
    "object_bracket_key": b'{[: "x"}\n',
    "string_unescaped_tab": b'["\t"]',
    "string_unescaped_newline": b'["new\nline"]',
    "string_unescaped_ctrl_char": b'["a\x00a"]',
    "string_escape_x": b'["\\x00"]',
    "string_1_surrogate_then_escape_u": b'["\\uD800\\u"]',
    "string_invalid_utf_8": b'["\\\xe5"]',
    "string_incomplete_escape": b'["\\"]',
    "string_single_doublequote": b'"',
    "string_with_trailing_garbage": b'""x',
    "structure_no_data": b"",
    "structure_whitespace_formfeed": b"[\x0c]",
    "structure_U+2060": "[\u2060]".encode(),
    "structure_UTF8_BOM_no_data": b"\xef\xbb\xbf",
    "structure_double_array": b"[][]",
    "structure_null_byte_outside": b"[\x00]",
    "structure_end_array": b"]",
    "structure_capitalized_True": b"[True]",
    "structure_incomplete_UTF8_BOM": b"\xef\xbb{}",
}

MUST_PASS = {
    b"[123e65]": [123e65],
    b"[1E+2]": [100.0],
    b"[-0]": [0],
    b"[-0.0]": [-0.0],
    b"[0.4e-1]": [0.04],
    b"[123.456e78]": [123.456e78],
    b"[-123123123123123123123123123123]": [-123123123123123123123123123123],
    b'["\\u0000"]': ["\x00"],
    b'["\\uD834\\uDd1e"]': ["\U0001d11e"],
    b'["\\"\\\\\\/\\b\\f\\n\\r\\t"]': ['"\\/\b\f\n\r\t'],
    '["\u2028\u2029\u0085\u007f"]'.encode(): ["\u2028\u2029\u0085\u007f"],
    b'["\\uFFFE\\uFDD0"]': ["\ufffe\ufdd0"],
    b'{"":0}': {"": 0},
    b" [] \r\n\t": [],
    b'"space "': "space ",
    b"false": False,
}

FREE_AND_ACCEPTED = {
    "i_number_double_huge_neg_exp": [0.0],
    "i_number_real_underflow": [0.0],
    "i_number_too_big_neg_int": [-123123123123123123123123123123],
    "i_number_too_big_pos_int": [100000000000000000000],
    "i_number_very_big_negative_int": [-237462374673276894279832749832423479823246327846],
}
OUR_RULE = {"y_object_duplicated_key", "y_object_duplicated_key_and_value"}


def parse(data: bytes):
    return loads(data.decode("utf-8"), data)


@pytest.mark.parametrize("data", MUST_FAIL.values(), ids=MUST_FAIL.keys())
def test_what_is_not_json_is_refused(data):
    with pytest.raises(ValueError):
        parse(data)


@pytest.mark.parametrize(("data", "value"), MUST_PASS.items())
def test_what_is_json_is_accepted(data, value):
    assert parse(data) == value
    assert repr(parse(data)) == repr(value)  # 0 is not -0.0 and not False


def test_the_json_test_suite_as_values(shared):
    files = sorted((shared / "json_test_suite/test_parsing").iterdir())
    accepted: dict[str, list[str]] = {"y": [], "n": [], "i": []}
    counts = dict.fromkeys("yni", 0)
    values = {}
    for path in files:
        counts[path.name[0]] += 1
        try:
            values[path.stem] = parse(path.read_bytes())
        except ValueError:
            continue
        accepted[path.name[0]].append(path.stem)
    assert counts == {"y": 95, "n": 188, "i": 35}
    every = {path.stem for path in files if path.name.startswith("y")}
    assert every - set(accepted["y"]) == OUR_RULE
    assert accepted["n"] == []
    assert set(accepted["i"]) == set(FREE_AND_ACCEPTED)
    assert {name: values[name] for name in FREE_AND_ACCEPTED} == FREE_AND_ACCEPTED


def test_the_json_test_suite_as_lines(shared):
    for path in sorted((shared / "json_test_suite/test_parsing").iterdir()):
        data = path.read_bytes()
        rows = list(read_rows(io.BytesIO(data), path.name))
        assert len(rows) == len(data.splitlines(keepends=True)) or b"\n" in data or b"\r" in data
        for row in rows:
            assert row is None or isinstance(row, Row | BadRow)
            if isinstance(row, Row):
                assert path.name[0] != "n" or b"\n" in data.strip()


# What a line is, and why not: the reason told, or the value read.
LINES = [
    ("NaN", b'{"a":NaN}', "non-finite number NaN"),
    ("Infinity", b'{"a":-Infinity}', "non-finite number -Infinity"),
    ("overflow", b'{"a":1e400}', "number overflow 1e400"),
    ("overflow of digits", b'{"a":%d.0}' % OVER, f"number overflow {str(OVER)[:40]}"),
    ("many digits", b'{"a":' + b"9" * 4301 + b"}", "integer of more than 4300 digits"),
    ("duplicate key", b'{"b":{"a":1,"a":1}}', "duplicate key 'a'"),
    ("duplicate by escape", b'{"a":1,"\\u0061":2}', "duplicate key 'a'"),
    ("invalid UTF-8", b'{"a":"\xff"}', "not UTF-8 (byte 0xff at offset 6)"),
    ("overlong UTF-8", b'{"a":"\xc0\xaf"}', "not UTF-8 (byte 0xc0 at offset 6)"),
    ("UTF-8 surrogate", b'{"a":"\xed\xa0\x80"}', "not UTF-8 (byte 0xed at offset 6)"),
    ("lone surrogate", b'{"a":"\\ud800"}', "lone surrogate in a string"),
    ("lone low surrogate", b'{"a":["x\\uDFAA"]}', "lone surrogate in a string"),
    ("lone surrogate in a key", b'{"\\uD800":1}', "lone surrogate in a string"),
    ("swapped surrogates", b'{"a":"\\udd1e\\ud834"}', "lone surrogate in a string"),
    (
        "lone surrogate beside a large integer",
        b'{"b":123456789012345678901234567890,"a":"\\ud800"}',
        "lone surrogate in a string",
    ),
    ("raw NUL", b'{"a":1}\x00', "not JSON (extra data at column 8)"),
    ("lone CR", b'{"a":1}\r{"a":2}', "not JSON (extra data at column 9)"),
    ("raw CR in a string", b'{"a":"x\ry"}', "not JSON (invalid control character at column 8)"),
    ("two values", b'{"a":1} {"a":2}', "not JSON (extra data at column 9)"),
    ("number", b"1", "not a JSON object but a number"),
    ("array", b"[]", "not a JSON object but an array"),
    ("string", b'"x"', "not a JSON object but a string"),
    ("null", b"null", "not a JSON object but null"),
    ("true", b"true", "not a JSON object but true or false"),
    ("depth", b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", "nested deeper than 200"),
    ("endless depth", b"[" * 100_000, "nested deeper than 200"),
    ("garbage", b"hello", "not JSON (expecting value at column 1)"),
    ("BOM in the middle", b'\xef\xbb\xbf{"a":1}', "unexpected control or byte-order mark"),
    ("record separator", b'\x1e{"a":1}', "unexpected control or byte-order mark"),
]


@pytest.mark.parametrize(("line", "reason"), [x[1:] for x in LINES], ids=[x[0] for x in LINES])
def test_a_bad_line_is_told_and_reading_goes_on(line, reason):
    stream = io.BytesIO(b'{"n":1}\n' + line + b'\n{"n":3}\n')
    before, bad, after = read_rows(stream, "f")
    assert (before.where, before.value) == ("f:1", {"n": 1})
    assert (after.where, after.value) == ("f:3", {"n": 3})
    assert isinstance(bad, BadRow)
    assert bad.where == "f:2"
    assert bad.reason.startswith(reason)
    assert bad.text == line.decode("utf-8", "backslashreplace").rstrip("\r")


def nested(depth: int) -> bytes:
    """An object around arrays, `depth` levels in all."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def test_200_levels_are_enough():
    assert [type(row) for row in read_rows(io.BytesIO(nested(200)), "f")] == [Row]
    assert [type(row) for row in read_rows(io.BytesIO(nested(201)), "f")] == [BadRow]


def test_brackets_in_text_are_no_depth():
    row = {"a": "[{" * 5000, "b": [{}] * 5000}
    assert loads(json.dumps(row)) == row


KEPT = [
    (b'{"a":10000000000000000999}', 10000000000000000999),
    (b'{"a":123456789012345678901234567890}', 123456789012345678901234567890),
    (b'{"a":-' + b"7" * 4300 + b"}", -int("7" * 4300)),
    ('{"a":"x\u2028y\u2029z\u0085\x7f"}'.encode(), "x\u2028y\u2029z\u0085\x7f"),
    (b'{"a":"\\u0000"}', "\x00"),
    (b'{"a":0.1}', 0.1),
    (b'{"a":5e-324}', 5e-324),
    (b'{"a":1.7976931348623157e+308}', 1.7976931348623157e308),
    (b'{"a":true}', True),
    (b'{"a":null}', None),
    ('{"a":"😀é汉"}'.encode(), "😀é汉"),
]


@pytest.mark.parametrize(("line", "value"), KEPT)
def test_a_value_survives_reading_and_writing(line, value):
    (row,) = read_rows(io.BytesIO(line), "f")
    assert repr(row.value["a"]) == repr(value)
    assert dumps(row.value) == line


def test_pairs_of_escaped_surrogates_are_one_character():
    (row,) = read_rows(io.BytesIO(b'{"a":"\\ud83d\\ude00 \\\\ud800"}'), "f")
    assert row.value == {"a": "😀 \\ud800"}


def test_more_precision_than_a_double_has_is_rounded():
    assert loads("1.000000000000000005") == 1.0
    assert loads("1e-400") == 0.0


def test_a_byte_order_mark_belongs_to_the_start_of_a_file():
    bom = b"\xef\xbb\xbf"
    first, second = read_rows(io.BytesIO(bom + b'{"a":1}\n' + bom + b'{"a":2}\n'), "f")
    assert first.value == {"a": 1}
    assert isinstance(second, BadRow)
    assert list(read_rows(io.BytesIO(bom), "f")) == [None]
    (twice,) = read_rows(io.BytesIO(bom + bom + b"{}"), "f")
    assert isinstance(twice, BadRow)


def test_crlf_ends_a_line_and_blank_lines_are_told():
    rows = list(read_rows(io.BytesIO(b'{"a":1}\r\n\r\n \t\n\n{"a":2}\r\n'), "f"))
    assert [row and (row.where, row.value) for row in rows] == [
        ("f:1", {"a": 1}),
        None,
        None,
        None,
        ("f:5", {"a": 2}),
    ]


def test_other_blanks_are_no_blank_lines():
    rows = list(read_rows(io.BytesIO("\x0b\n\x0c\n\u2028\n\xa0\n".encode()), "f"))
    assert [type(row) for row in rows] == [BadRow] * 4


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_gets_a_hint(encoding):
    stream = io.BytesIO('{"a":1}\n{"a":2}\n'.encode(encoding))
    first = next(read_rows(stream, "f"))
    assert first.reason.startswith("not UTF-8 (looks like UTF-16: convert it with iconv")


def test_an_unterminated_last_line_is_good_when_whole_and_told_when_cut():
    assert next(read_rows(io.BytesIO(b'{"a":1}'), "f")).value == {"a": 1}
    cut = next(read_rows(io.BytesIO(b'{"a":"x'), "f"))
    assert cut.reason == (
        "not JSON (unterminated string starting at column 6); "
        "the last line is unterminated, was the file cut?"
    )
    inside = next(read_rows(io.BytesIO('{"a":"é'.encode()[:-1]), "f"))
    assert inside.reason == (
        "not UTF-8 (byte 0xc3 at offset 6); the last line is unterminated, was the file cut?"
    )


def test_a_row_keeps_its_text():
    (row,) = read_rows(io.BytesIO(b'{"a": 1.50}\n'), "f")
    assert row.text == b'{"a": 1.50}\n'


class Zeros(io.RawIOBase):
    """A line of `length` bytes without a line end, then a good row."""

    def __init__(self, length: int) -> None:
        self.left, self.tail = length, b'\n{"a":1}\n'

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self.left:
            n = min(len(buffer), self.left)
            buffer[:n] = b"0" * n
            self.left -= n
            return n
        n, data = len(self.tail), self.tail
        buffer[:n], self.tail = data, b""
        return n


def test_an_over_long_line_is_bad_takes_little_memory_and_is_passed_over():
    tracemalloc.start()
    try:
        bad, good = read_rows(io.BufferedReader(Zeros(200 << 20), 1 << 20), "f")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert bad.reason == "line longer than 16 MiB (the first 64 KiB are kept)"
    assert bad.text == "0" * (64 << 10)
    assert (good.where, good.value) == ("f:2", {"a": 1})
    assert peak < 60 << 20


def test_the_longest_line_is_16_mib_with_its_end(monkeypatch):
    monkeypatch.setattr(jsonl, "MAX_LINE", 20)
    fits, longer, last = b'{"a":"12345678901"}\n', b'{"a":"123456789012"}\n', b'{"a":"12345678901"}'
    rows = list(read_rows(io.BytesIO(fits + longer + last), "f"))
    assert [type(row) for row in rows] == [Row, BadRow, Row]


def test_a_bad_end_inside_an_over_long_line_is_not_mistaken_for_utf_8(monkeypatch):
    monkeypatch.setattr(jsonl, "MAX_LINE", 20)
    monkeypatch.setattr(jsonl, "_KEPT", 7)
    (bad,) = read_rows(io.BytesIO('{"a":"éééééééééééé"}'.encode()), "f")
    assert bad.reason.startswith("line longer than")
    assert bad.text == '{"a":"\\xc3'


def test_scan_finds_the_end_of_a_value():
    assert jsonl.scan(' {"a":[1]} , 2', 0) == ({"a": [1]}, 10)
    with pytest.raises(json.JSONDecodeError):
        jsonl.scan("[1, ", 0)
    with pytest.raises(ValueError, match="duplicate"):
        jsonl.scan('{"a":1,"a":2}', 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_that_is_not_finite_is_written(value):
    for row in ({"a": value}, {"a": [{"b": value}]}, {"a": value, "b": 2**70}, [(value,)]):
        with pytest.raises(ValueError):
            dumps(row)
    assert dumps({"a": None, "b": [1.5, None]}) == b'{"a":null,"b":[1.5,null]}'


def test_a_writer_counts_and_ends_lines_with_lf():
    out = io.BytesIO()
    writer = RowWriter(out)
    writer.write({"a": "x\ny"})
    writer.write_all([{"b": 2**80}, {}])
    assert out.getvalue() == b'{"a":"x\\ny"}\n{"b":1208925819614629174706176}\n{}\n'
    assert writer.rows == 3


def test_pretty_documents_are_read_back():
    value = {"b": ["é", 1, None], "a": {"c": 0.5}}
    text = jsonl.pretty(value)
    assert text.startswith('{\n  "b": [\n    "é",'.encode())
    assert text.endswith(b"}\n")
    assert load_document(text, "f") == value


@pytest.mark.parametrize("data", [b"", b"{", b'{"a":1,"a":2}', b"\xff", b"[NaN]"])
def test_a_bad_document_names_its_file(data):
    with pytest.raises(UserError) as caught:
        load_document(data, "run.json")
    assert caught.value.where == "run.json"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.text(), values, max_size=5), max_size=8))
def test_rows_come_back_equal_bit_for_bit_in_order(rows):
    out = io.BytesIO()
    RowWriter(out).write_all(rows)
    out.seek(0)
    back = list(read_rows(out, "f"))
    assert [repr(row.value) for row in back] == [repr(row) for row in rows]
    again = io.BytesIO()
    RowWriter(again).write_all(row.value for row in back)
    assert again.getvalue() == out.getvalue()


@settings(max_examples=200)
@given(st.data())
def test_damaged_lines_are_rows_or_told_as_bad_and_never_anything_else(data):
    row = data.draw(st.dictionaries(st.text(), values, max_size=4))
    line = bytearray(json.dumps(row, ensure_ascii=data.draw(st.booleans())).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(line)))
        line[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"\\u", b"{", b"NaN", b"1e999", b"\n"])
        )
    for found in read_rows(io.BytesIO(bytes(line)), "f"):
        assert found is None or isinstance(found, Row | BadRow)
        if isinstance(found, Row):
            # whatever is accepted, the standard parser reads the same
            assert repr(json.loads(dumps(found.value))) == repr(found.value)
            assert repr(json.loads(found.text)) == repr(found.value)
