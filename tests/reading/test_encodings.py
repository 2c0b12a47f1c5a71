"""encodings: any encoding that is named or marks itself becomes UTF-8; others are named."""

from __future__ import annotations

import codecs
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.reading import encodings

CHINESE = "高血压患者能吃党参吗？我有高血压，这两天女婿来的时候给我拿了些党参泡水喝。\n"


def stream(data: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(data), 1 << 20)


def recoded(data: bytes, encoding=None) -> bytes:
    return encodings.as_utf8(stream(data), "f", encoding).read()


@pytest.mark.parametrize(
    "encoding", ["gb18030", "GBK", "big5", "shift_jis", "latin-1", "cp1252", "utf-16", "utf-8"]
)
def test_a_named_encoding_becomes_utf8(encoding):
    text = {"big5": "繁體\n", "shift_jis": "カタカナ\n"}.get(encoding, "é\n")
    text = CHINESE if encoding in ("gb18030", "GBK", "utf-16") else text
    assert recoded(text.encode(encoding), encoding) == text.encode()


@pytest.mark.parametrize(
    "data",
    [
        '{"a":"é漢"}\n'.encode("utf-16"),
        codecs.BOM_UTF16_BE + '{"a":"é漢"}\n'.encode("utf-16-be"),
        '{"a":"é漢"}\n'.encode("utf-16-le"),
        '{"a":"é漢"}\n'.encode("utf-16-be"),
        '{"a":"é漢"}\n'.encode("utf-32"),
        '{"a":"é漢"}\n'.encode(),
    ],
)
def test_wide_encodings_are_told_by_their_first_bytes(data):
    assert recoded(data).decode() == '{"a":"é漢"}\n'


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 5))
def test_blocks_change_nothing(text, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encodings, "_BLOCK", block)
        for encoding in ("gb18030", "utf-16-le"):
            assert recoded(text.encode(encoding), encoding) == text.encode()


def test_bytes_that_the_encoding_has_not_stay_for_their_row_to_tell():
    data = "好\n".encode("gb18030") + b"\xff\n" + "好\n".encode("gb18030")
    assert recoded(data, "gb18030") == "好\n".encode() + b"\xff\n" + "好\n".encode()


def test_a_cut_wide_file_is_told():
    with pytest.raises(UserError, match=r"f: not UTF-16 \(truncated data\)"):
        recoded("ab".encode("utf-16")[:-1])


@pytest.mark.parametrize("name", ["gb18300", "rot13", "hex", "no such", "a\0b", ""])
def test_an_unknown_encoding_is_a_usage_error(name):
    with pytest.raises(UserError) as caught:
        encodings.checked(name)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (CHINESE.encode("gb18030"), "GB18030"),
        (("a,b\n" + CHINESE).encode("gb18030")[:-2], "GB18030"),  # cut in a character
        ("où l'élève déçu était\n".encode("latin-1"), "Latin-1"),
        ("“quoted” — text\n".encode("cp1252"), "Windows-1252"),
    ],
)
def test_what_is_not_utf8_is_named(data, label):
    argument = {"GB18030": "gb18030", "Latin-1": "latin-1", "Windows-1252": "cp1252"}[label]
    assert encodings.guessed(data) == (label, argument)
    with pytest.raises(UserError) as caught:
        encodings.refuse_foreign(data, "f")
    assert str(caught.value) == (
        f"f: not UTF-8; it looks like {label}\n  hint: add --encoding {argument}"
    )
    assert caught.value.code == 65


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain",
        CHINESE.encode()[:-5],  # cut in a character
        "\ufffd\ufffd\n".encode(),
        CHINESE.encode() + b"\xff\n",  # one bad byte in what is UTF-8
    ],
)
def test_utf8_is_not_refused(data):
    encodings.refuse_foreign(data, "f")
