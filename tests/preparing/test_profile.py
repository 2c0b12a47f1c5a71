"""profile: lengths, counts, coverage and gaps of a handful of records, by hand."""

from __future__ import annotations

from typing import Any

from instructune.preparing import profile as profiles
from instructune.preparing.profile import Profile
from instructune.records import Record


def chat(prompt: str, answer: str, **more: Any) -> Record:
    turns = [("user", prompt), ("assistant", answer)]
    messages = [{"role": role, "content": text} for role, text in turns]
    return Record({"id": "1", "messages": messages} | more)


ROWS = [
    chat("one two three", "yes", task="qa", kind=["task"], origin="f:1"),
    chat("one", "a b c d e", task="qa", kind=["task", "constraint"], language="en"),
    chat("写一首诗", "春", task="writing", kind="task"),
    Record({"id": "2", "text": "plain", "label": ["x", "y"], "split": "train"}),
    Record({"id": "3", "text": " PLAIN", "label": "x", "augmented": "noise"}),
]


def test_everything_by_hand(monkeypatch):
    monkeypatch.setattr(profiles, "identify", {"plain": None}.get)
    profile = Profile(lambda record: None if "text" in record else 7)
    assert list(profile.passing(ROWS)) == ROWS
    facts = profile.facts()
    assert (facts["rows"], facts["duplicates"]) == (5, 0)
    assert facts["lengths"]["prompt words"] == {
        "sum": 10,
        "quantiles": {"0": 1, "0.05": 1, "0.25": 1, "0.5": 1, "0.75": 3, "0.95": 4, "1": 4},
        "histogram": [
            {"from": 1, "to": 1, "rows": 3},
            {"from": 2, "to": 3, "rows": 1},
            {"from": 4, "to": 7, "rows": 1},
        ],
    }
    assert facts["lengths"]["answer words"]["sum"] == 8  # a label is an answer
    assert facts["lengths"]["characters"]["sum"] == (13 + 4) + (3 + 10) + (4 + 2) + 5 + 6
    assert facts["lengths"]["turns"]["quantiles"]["1"] == 2
    assert len(profile.lengths["turns"]) == 3
    assert facts["lengths"]["tokens"]["sum"] == 21
    assert facts["counts"] == {
        "field": {
            "id": 5,
            "kind": 3,
            "messages": 3,
            "task": 3,
            "label": 2,
            "text": 2,
            "augmented": 1,
            "language": 1,
            "origin": 1,
            "split": 1,
        },
        "language": {"unknown": 4, "en": 1},
        "task": {"qa": 2, "unknown": 2, "writing": 1},
        "kind": {"task": 3, "unknown": 2, "constraint": 1},
        "label": {"x": 2, "y": 1},
        "split": {"train": 1},
        "augmented": {"noise": 1},
        "source": {"f": 1},
        "refused": {"by the chat template": 2},
    }
    cells = {tuple(cell.values()) for cell in facts["coverage"]}
    assert cells == {
        ("qa", "task", "unknown", "0-9 words", 1),
        ("qa", "task+constraint", "en", "0-9 words", 1),
        ("writing", "task", "unknown", "0-9 words", 1),
        ("none", "none", "unknown", "0-9 words", 2),
    }
    gap = {"task": "writing", "kind": "task", "language": "en", "length": "0-9 words"}
    assert gap in facts["gaps"]
    assert len(facts["gaps"]) == 3 * 3 * 2 - 4


def test_equal_rows_are_told():
    profile = Profile()
    for text in ("a b", "A  b ", "ab", "a b"):
        profile.see(Record({"id": "1", "text": text}))
    assert profile.facts()["duplicates"] == 2


def test_numbers_are_labels_too():
    profile = Profile()
    for label in (1, 1, 0.5):
        profile.see(Record({"id": "1", "text": "t", "label": label}))
    assert profile.facts()["counts"]["label"] == {"1": 2, "0.5": 1}


def test_rare_values_are_summed():
    profile = Profile()
    for number in range(60):
        for _ in range(60 - number):
            profile.see(Record({"id": "1", "text": "t", "label": f"l{number:02}"}))
    labels = profile.facts()["counts"]["label"]
    assert len(labels) == 51
    assert labels["l00"] == 60
    assert labels["10 others"] == sum(range(1, 11))


def test_nothing_at_all():
    assert Profile().facts() == {
        "rows": 0, "duplicates": 0, "lengths": {}, "counts": {}, "coverage": [], "gaps": [],
    }  # fmt: skip
