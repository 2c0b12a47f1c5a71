"""paraphrase: marked copies, answers and spans right, what must stay stays."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.records import Record, fault
from instructune.transforms.paraphrase import Options, Transform

SHIPPED = Transform(Options(copies=9))


def copied(record: Record, changes: Counter[str] | None = None, **options: Any) -> list[Record]:
    transform = Transform(Options(**options)) if options else SHIPPED
    return transform(record, Counter() if changes is None else changes)


def chat(*contents: str, **more: Any) -> Record:
    roles = ["user", "assistant"] * len(contents)
    turns = [{"role": r, "content": c} for r, c in zip(roles, contents, strict=False)]
    return Record({"id": "a", "messages": turns} | more)


def test_copies_are_marked_and_answers_stay():
    changes: Counter[str] = Counter()
    record = chat("Explain the rule.", "Explain the rule!", structure={"action": "explain"})
    first, *made = copied(record, changes)
    assert first == record | {"group": "a"}
    assert [one["id"] for one in made] == [f"a~paraphrase{i}" for i in range(1, 5)]
    assert {one["messages"][0]["content"] for one in made} == {
        "Please explain the rule.",
        "Give an explanation of the rule.",
        "Can you explain the rule?",
        "I would like an explanation of the rule.",
    }
    for one in made:
        assert one["messages"][1]["content"] == "Explain the rule!"
        assert (one["group"], one["augmented"]) == ("a", "paraphrase")
        assert "structure" not in one
        assert fault(one) is None
    assert changes == {"copied with paraphrase": 1}


def test_the_seed_and_the_id_decide():
    def texts(seed: int) -> list[str]:
        rows = [chat("Explain the rule.", "x") | {"id": str(i)} for i in range(20)]
        return [copied(Record(r), copies=1, seed=seed)[1]["messages"][0]["content"] for r in rows]

    assert texts(0) == texts(0) != texts(1)
    assert len(set(texts(0))) == 4


@pytest.mark.parametrize(
    "record",
    [
        chat("Nothing known", "x"),
        chat("Explain the rule", "x", augmented="noise"),
        Record(id="a", texts=["Explain the rule", "x"]),
        Record(id="a", tokens=["Explain", "the", "rule"]),
        # the answer is taken from the words that would go
        chat("Explain the rule", "explain", references=["Explain"]),
        chat(
            "Explain the rule", "x", checks=[{"check": "starts_with", "args": {"text": "Explain"}}]
        ),
        Record(id="a", text="Explain the rule", entities=[{"start": 0, "end": 7, "type": "V"}]),
    ],
)
def test_left_alone(record):
    assert copied(record) == [record]


def test_what_is_in_the_way_is_counted():
    changes: Counter[str] = Counter()
    copied(chat("Explain the rule", "x", references=["Explain"]), changes)
    assert changes == {"not paraphrased: an entity or a wanted word is in the way": 1}


def test_entities_move_along(write):
    text = "From red wool make Anna's socks. Anna"
    entities = [{"start": 19, "end": 23, "type": "P"}, {"start": 33, "end": 37, "type": "P"}]
    record = Record(id="a", text=text, entities=entities)
    kept = '[[group]]\nphrasings = ["From {x} make {y}", "Out of some {x} please make {y}"]'
    _, copy = copied(record, file=write("kept.toml", kept))
    assert copy["text"] == "Out of some red wool please make Anna's socks. Anna"
    assert [copy["text"][e["start"] : e["end"]] for e in copy["entities"]] == ["Anna", "Anna"]
    moved = '[[group]]\nphrasings = ["From {x} make {y}", "Make {y} from {x}"]'
    changes: Counter[str] = Counter()
    assert copied(record, changes, file=write("moved.toml", moved)) == [record]
    assert changes.total() == 1
    _, copy = copied(Record(record | {"entities": entities[1:]}), file=write("moved.toml", moved))
    assert copy["text"] == "Make Anna's socks from red wool. Anna"
    assert copy["text"][copy["entities"][0]["start"] :] == "Anna"


pieces = st.sampled_from(["Explain ", "the rule", "Ann ", "to Bob", ". ", "? ", "Can you ", "\n\n"])


@given(st.lists(pieces, min_size=1, max_size=8).map("".join), st.data())
def test_spans_keep_their_words(text, data):
    if not text.strip():
        return
    bounds = st.tuples(st.integers(0, len(text) - 1), st.integers(1, 9))
    spans = data.draw(st.lists(bounds, max_size=2))
    entities = [
        {"start": start, "end": min(start + size, len(text)), "type": "T"} for start, size in spans
    ]
    for copy in copied(Record(id="a", text=text, entities=entities))[1:]:
        assert len(copy["entities"]) == len(entities)
        for old, new in zip(entities, copy["entities"], strict=True):
            held = text[old["start"] : old["end"]]
            assert copy["text"][new["start"] : new["end"]] == held


def test_wrong_options():
    with pytest.raises(UserError, match="at least 1"):
        Options(copies=0)
