"""swap: both directions at once, case kept, everywhere in a record."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.records import Record
from instructune.transforms.swap import Options, Transform

PAIRS = "he\tshe\nhim\ther\nhis\ther\nJohn\tMary\nfather\tmother\n他\t她\n"


@pytest.fixture
def swap(write) -> Transform:
    return Transform(Options(file=write("pairs.tsv", PAIRS)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He told her that SHE was late.", "She told him that HE was late."),
        ("Her car; he saw her.", "His car; she saw him."),
        ("His mother gave her a book", "Her father gave him a book"),
        ("John and Mary's father, there", "Mary and John's mother, there"),
        ("他说她来了", "她说他来了"),
    ],
)
def test_texts(swap, text, expected):
    (first, copy) = swap(Record(id="a", text=text), Counter())
    assert first == {"id": "a", "text": text, "group": "a"}
    assert copy == {"id": "a~swap1", "text": expected, "group": "a", "augmented": "swap"}


def test_answers_entities_tags_and_checks(swap):
    turns = [{"role": "user", "content": "Use 'he'."}, {"role": "assistant", "content": "He ran."}]
    record = Record(
        id="a",
        messages=turns,
        rejected=[{"role": "assistant", "content": "She"}],
        checks=[{"check": "include", "args": {"words": ["he"], "n": 1}}, {"check": "json"}],
    )
    (_, copy) = swap(record, Counter())
    assert [turn["content"] for turn in copy["messages"]] == ["Use 'she'.", "She ran."]
    assert copy["rejected"][0]["content"] == "He"
    assert copy["checks"] == [
        {"check": "include", "args": {"words": ["she"], "n": 1}},
        {"check": "json"},
    ]
    assert record["checks"][0]["args"]["words"] == ["he"]
    tagged = Record(id="b", tokens=["John", "ran"], tags=["B-P", "O"])
    assert swap(tagged, Counter())[1]["tokens"] == ["Mary", "ran"]
    spans = Record(id="c", text="father John Ford", entities=[{"start": 7, "end": 16, "type": "P"}])
    (_, copy) = swap(spans, Counter())
    assert copy["text"][copy["entities"][0]["start"] : copy["entities"][0]["end"]] == "Mary Ford"


def test_nothing_to_swap(swap):
    record = Record(id="a", text="the theme")
    changes: Counter[str] = Counter()
    assert swap(record, changes)[0] is record
    assert not changes


@given(
    st.lists(st.sampled_from(["he", "She", "JOHN", "Mary", "father", "x", "他", "."]), min_size=1)
)
def test_twice_is_nothing(tmp_path_factory, parts):
    path = tmp_path_factory.getbasetemp() / "pairs.tsv"
    path.write_text(PAIRS, encoding="utf-8")
    swap, text = Transform(Options(file=str(path))), " ".join(parts)
    made = swap(Record(id="a", text=text), Counter())
    if len(made) > 1:
        assert swap(Record(id="a", text=made[1]["text"]), Counter())[1]["text"] == text
