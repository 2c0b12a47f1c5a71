"""profile: lengths, counts, coverage and gaps of a handful of records, by hand."""

from __future__ import annotations

from typing import Any

from instructune import profile as profiles
from instructune.profile import Profile
from instructune.records import Record


def chat(prompt: str, answer: str, **more: Any) -> Record:
    turns = [("user", prompt), ("assistant", answer)]
    messages = [{"role": role, "content": text} for role, text in turns]
    return Record({"id": "1", "messages": messages} | more)


ROWS = [
    chat("one two three", "yes", task="qa", kind=["task"]),
    chat("one", "a b c d e", task="qa", kind=["task", "constraint"], language="en"),
    chat("写一首诗", "春", task="writing", kind="task"),
    Record({"id": "2", "text": "plain", "label": "x", "split": "train"}),
]


def test_everything_by_hand(monkeypatch):
    monkeypatch.setattr(profiles, "identify", {"plain": None}.get)
    profile = Profile(lambda record: None if "text" in record else 7)
    assert list(profile.passing(ROWS)) == ROWS
    facts = profile.facts()
    assert facts["rows"] == 4
    assert facts["lengths"]["prompt words"] == {
        "sum": 9,
        "quantiles": {"0": 1, "0.05": 1, "0.25": 1, "0.5": 3, "0.75": 4, "0.95": 4, "1": 4},
        "histogram": [
            {"from": 1, "to": 1, "rows": 2},
            {"from": 2, "to": 3, "rows": 1},
            {"from": 4, "to": 7, "rows": 1},
        ],
    }
    assert facts["lengths"]["answer words"]["sum"] == 8  # a label is an answer
    assert facts["lengths"]["tokens"]["sum"] == 21
    assert facts["counts"] == {
        "language": {"unknown": 3, "en": 1},
        "task": {"qa": 2, "unknown": 1, "writing": 1},
        "kind": {"task": 3, "constraint": 1, "unknown": 1},
        "label": {"x": 1},
        "split": {"train": 1},
        "refused": {"by the chat template": 1},
    }
    cells = {tuple(cell.values()) for cell in facts["coverage"]}
    assert cells == {
        ("qa", "task", "unknown", "0-9 words", 1),
        ("qa", "task+constraint", "en", "0-9 words", 1),
        ("writing", "task", "unknown", "0-9 words", 1),
        ("none", "none", "unknown", "0-9 words", 1),
    }
    gap = {"task": "writing", "kind": "task", "language": "en", "length": "0-9 words"}
    assert gap in facts["gaps"]
    assert len(facts["gaps"]) == 3 * 3 * 2 - 4


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
        "rows": 0, "lengths": {}, "counts": {}, "coverage": [], "gaps": [],
    }  # fmt: skip
