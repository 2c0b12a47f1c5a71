"""containers.conll: sentences with their tags, whatever is strewn between them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.containers import conll
from instructune.errors import UserError
from instructune.jsonl import BadRow, Row


def read(data: bytes | str, **options) -> list:
    data = data.encode() if isinstance(data, str) else data
    stream = io.BufferedReader(io.BytesIO(data), 1 << 20)
    return list(conll.read(stream, "f", conll.Options(**options)))


def tags(data: str, **options) -> list:
    return [row.value["tags"] for row in read(data, **options) if isinstance(row, Row)]


def test_sentences_with_their_places():
    assert read("\ufeffIn O\nRome B-LOC\r\n\n\t\n\nyes O") == [
        Row("f:1", {"tokens": ["In", "Rome"], "tags": ["O", "B-LOC"]}, b"In O\nRome B-LOC\r\n"),
        None,
        None,
        None,
        Row("f:6", {"tokens": ["yes"], "tags": ["O"]}, b"yes O"),
    ]


def test_comments_and_document_starts_are_passed_over():
    data = "# id = 1\n-DOCSTART- -X- O\n\na O\n# text = x\nb O\n-DOCSTART- O\nc O\n"
    assert [row and row.value["tokens"] for row in read(data)] == [
        *(None, None, None, ["a"], None, ["b"], None, ["c"]),
    ]


def test_a_hash_that_is_tagged_is_a_token():
    for mark in "\t", " ":
        data = f"#{mark}O\nfun{mark}B-x\n#{mark}O\n# new comment\n#lone\n"
        assert [row and row.value["tokens"] for row in read(data)] == [
            ["#", "fun", "#"],
            None,
            None,
        ]
    assert read("a\tNN\n#\tSYM\n")[0].value["tokens"] == ["a", "#"]


def test_columns():
    data = "Rome NNP B-NP B-LOC\nis VBZ B-VP O\n"
    assert tags(data) == [["B-LOC", "O"]]
    assert tags(data, tag=1) == [["NNP", "VBZ"]]
    assert read("B-LOC\tRome\n", token=1, tag=0)[0].value == {"tokens": ["Rome"], "tags": ["B-LOC"]}
    assert read("New York\tB-LOC\n")[0].value["tokens"] == ["New York"]
    assert read("\u3000 O\n\xa0 O\n")[0].value["tokens"] == ["\u3000", "\xa0"]
    with pytest.raises(UserError, match="f:1: there are 2 columns") as caught:
        read("a O\n", tag=4)
    assert caught.value.code == 2


def test_characters_are_cut_off_tokens():
    assert read("科0\tO\n技1\tO\n", cut=1)[0].value["tokens"] == ["科", "技"]
    assert read("科0\tO\n1\tO\n", cut=1) == [BadRow("f:1", "no token in line 2", "科0\tO\n1\tO")]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"x\n", "1 columns in line 2, not 2"),
        (b"x y O\n", "3 columns in line 2, not 2"),
        (b"\tO\n", "no token in line 2"),
        (b"x\t\n", "no tag in line 2"),
        (b"\xff O\n", "not UTF-8 (byte 0xff at offset 0, looks like Latin-1) in line 2"),
    ],
)
def test_a_bad_line_makes_its_sentence_bad_and_no_other(bad, reason):
    one, _, two = read(b"a O\n" + bad + b"\nb O\n")
    assert (one.where, one.reason) == ("f:1", reason)
    assert two.value["tokens"] == ["b"]


def test_a_sentence_without_end_is_told(monkeypatch):
    monkeypatch.setattr(conll, "MAX_LINE", 1 << 20)
    bad, _, good = read(b"abcdefg O\n" * 200_000 + b"\nb O\n")
    assert bad.reason == "sentence longer than 1 MiB"
    assert len(bad.text) <= 1 << 20
    assert good.value["tokens"] == ["b"]


IOB1 = "a I-X\nb I-X\nc B-X\nd I-X\ne I-Y\nf O\ng I-Y\n"
IOB2 = ["B-X", "I-X", "B-X", "I-X", "B-Y", "O", "B-Y"]


def test_iob1_becomes_iob2():
    assert tags(IOB1) == [IOB2]
    assert tags(IOB1, scheme="iob1") == [IOB2]
    assert tags(IOB1, scheme="iob2") == [["I-X", "I-X", "B-X", "I-X", "I-Y", "O", "I-Y"]]
    assert tags("a I-X\n\nb I-X\n") == [["B-X"], ["B-X"]]


@pytest.mark.parametrize(
    "data",
    [
        "a B-X\nb I-X\nc O\nd I-X\n",  # an annotation error in IOB2
        "a B-X\nb O\n",
        "a B-X\nb I-X\nc E-X\nd S-X\ne I-Y\n",
        "a O\nb O\n",
        "a NN\nb I-NN\n",
    ],
)
def test_other_schemes_stay_as_written(data):
    assert tags(data) == [[line.split()[1] for line in data.splitlines()]]


def test_a_scheme_that_was_named_is_held_to():
    assert read("a E-X\n", scheme="iob2")[0].reason == "tag 'E-X' in line 1 is not IOB2"
    assert read("a NN\n", scheme="bioes")[0].reason == "tag 'NN' in line 1 is not BIOES"
    assert read("a S-X\n", scheme="iob1")[0].reason == "tag 'S-X' in line 1 is not IOB1"
    assert tags("a S-X\n", scheme="bioes") == [["S-X"]]


def test_wrong_options_are_told():
    with pytest.raises(UserError, match="cut must be at least 0"):
        conll.Options(cut=-1)


def spans(tags: list[str]) -> list[tuple[int, str]]:
    """Where entities begin in IOB2, and their types."""
    return [(i, tag[2:]) for i, tag in enumerate(tags) if tag[0] == "B"]


@given(st.lists(st.sampled_from(["O", "I-X", "I-Y"]), min_size=1, max_size=12))
def test_iob1_keeps_every_entity(written):
    made = conll.as_iob2(written)
    assert [tag.partition("-")[2] for tag in made] == [tag.partition("-")[2] for tag in written]
    begins = [
        (i, tag[2:])
        for i, tag in enumerate(written)
        if tag != "O" and (not i or written[i - 1] != tag)
    ]
    assert spans(made) == begins
    assert conll.as_iob2(made) == made
