"""stopwords: listed words go, entities and tags stay right."""

from __future__ import annotations

from collections import Counter

from instructune.records import Record
from instructune.transforms.stopwords import Options, Transform


def made(write) -> Transform:
    return Transform(Options(file=write("stop.txt", "the\nof\n的\n我们\n")))


def test_texts(write):
    changes: Counter[str] = Counter()
    record = Record(
        id="a",
        text="The end of the Duke of York, other 我们的家 of",
        entities=[{"start": 15, "end": 27, "type": "P"}],
    )
    (after,) = made(write)(record, changes)
    assert after["text"] == "end Duke of York, other 家"
    assert after["entities"] == [{"start": 4, "end": 16, "type": "P"}]
    assert changes == {"stop words taken out": 1}


def test_tokens(write):
    record = Record(id="a", tokens=["Of", "the", "Hague", "x"], tags=["O", "B-L", "I-L", "O"])
    (after,) = made(write)(record, Counter())
    assert after["tokens"] == ["the", "Hague", "x"]
    assert after["tags"] == ["B-L", "I-L", "O"]


def test_what_stays(write):
    for record in (
        Record(id="a", messages=[{"role": "user", "content": "the"}]),
        Record(id="b", text="the of"),
        Record(id="c", tokens=["the"]),
        Record(id="d", text="others"),
    ):
        assert made(write)(record, Counter())[0] is record
