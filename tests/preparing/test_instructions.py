"""instructions: labelled rows put into words, to the letter."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from instructune.errors import UserError
from instructune.preparing.instructions import BUILT_IN, Instructions, label_names, parted
from instructune.records import Record, fault

FILE = """
task = "sentiment"
[[phrasing]]
instruction = "Good or bad ({{ labels | join('/') }})?"
input = "{{ text }}"
output = "{{ label }}"
[[phrasing]]
language = "zh"
instruction = "好还是坏？"
input = "{{ text }}"
output = "{{ label }}"
"""
OTHERS = [Record({"id": f"o{i}", "text": f"t{i}", "label": f"l{i}"}) for i in range(5)]


def examples(count: int, fits: Any) -> list[Record]:
    return [other for other in OTHERS if fits(other)][:count]


def build(
    spec: str, row: dict[str, Any], labels: tuple[str, ...] = ("bad", "good")
) -> list[Record]:
    record = Record({"id": "1"} | row)
    made = Instructions(spec).build(record, labels, examples)
    assert all(fault(one) is None for one in made)
    return made


def said(record: Record) -> list[str]:
    return [turn["content"] for turn in record["messages"]]


@pytest.fixture
def file(write) -> str:
    return write("my.toml", FILE)


def test_a_row_becomes_a_chat(file):
    row = {"text": "Fine.", "label": "good", "origin": "f:1", "group": "g", "extra": 1}
    (made,) = build(file, row)
    assert made == {
        "id": "1",
        "messages": [
            {"role": "user", "content": "Good or bad (bad/good)?\n\nFine."},
            {"role": "assistant", "content": "good"},
        ],
        "label": "good",
        "origin": "f:1",
        "group": "g",
        "extra": 1,
        "task": "sentiment",
        "kind": ["task"],
        "fields": {"text": "Fine."},
    }
    assert made.references() == ["good"]


def test_the_language_is_the_row_s_unless_said(file):
    row = {"text": "很好，我喜欢。", "label": "good"}
    assert said(build(file, row)[0])[0] == "好还是坏？\n\n很好，我喜欢。"
    assert said(build(f"{file}:language=en", row)[0])[0].startswith("Good or bad")


def test_examples_as_turns_and_as_text(file):
    row = {"text": "Fine.", "label": "good"}
    (turns,) = build(f"{file}:shots=2", row, ("x",))
    assert said(turns) == [
        "Good or bad (x)?\n\nt0", "l0", "Good or bad (x)?\n\nt1", "l1",
        "Good or bad (x)?\n\nFine.", "good",
    ]  # fmt: skip
    assert turns["kind"] == ["task", "demonstration"]
    (text,) = build(f"{file}:shots=1,style=text", row, ("x",))
    assert said(text) == [
        "Good or bad (x)?\n\nt0\n\nl0\n\n---\n\nGood or bad (x)?\n\nFine.",
        "good",
    ]


def test_the_number_of_examples_is_drawn_by_id(file):
    program = Instructions(f"{file}:shots=0+1+3", seed=1)
    rows = [Record({"id": str(i), "text": "t", "label": "good"}) for i in range(300)]
    counts = Counter(len(program.build(row, (), examples)[0]["messages"]) // 2 - 1 for row in rows)
    assert sorted(counts) == [0, 1, 3]
    assert min(counts.values()) > 70
    again = Instructions(f"{file}:shots=0+1+3", seed=1)
    assert [program.build(row, (), examples) for row in rows[:20]] == [
        again.build(row, (), examples) for row in rows[:20]
    ]


def test_all_phrasings_are_of_one_group(file):
    made = build(f"{file}:phrasings=all,language=zh", {"text": "t", "label": "good"})
    assert [(one["id"], one.get("group")) for one in made] == [("1", None)]
    made = build("classification:phrasings=all", {"text": "t", "label": "good"})
    assert [(one["id"], one["group"]) for one in made] == [
        ("1-p1", "1"),
        ("1-p2", "1"),
        ("1-p3", "1"),
    ]


def test_an_answer_that_is_not_the_label_sets_the_label_aside():
    (made,) = build("classification", {"text": "t", "label": ["good", "bad"]})
    assert said(made)[-1] == "good, bad"
    assert made["fields"] == {"text": "t", "label": ["good", "bad"]}
    assert made.references() == ["good, bad"]


@pytest.mark.parametrize(
    ("tags", "answer"),
    [
        ("B-PER I-PER O B-LOC", "PER: a b\nLOC: d"),
        ("B-PER B-PER O O", "PER: a\nPER: b"),
        ("B-PER I-LOC O O", "PER: a\nLOC: b"),
        ("O I-LOC I-LOC O", "LOC: b c"),
        ("B-X E-X S-X O", "X: a b\nX: c"),
        ("S-X E-X O O", "X: a\nX: b"),
        ("O O O O", "none"),
    ],
)
def test_tags_as_entities(tags, answer):
    (made,) = build("ner", {"tokens": ["a", "b", "c", "d"], "tags": tags.split()})
    assert said(made)[-1] == answer
    assert said(made)[0].endswith("a b c d")


def test_entities_of_a_chinese_text():
    row = {"text": "王芳住在北京。", "entities": [{"start": 4, "end": 6, "type": "地点"}]}
    assert said(build("ner", row)[0])[-1] == "地点: 北京"
    row = {"tokens": list("住在北京"), "tags": ["O", "O", "B-LOC", "I-LOC"]}
    (made,) = build("ner", row)
    assert said(made)[-1] == "LOC: 北京"
    assert said(made)[0].endswith("住在北京")


def test_relations():
    entities = [{"start": 0, "end": 3, "type": "P"}, {"start": 13, "end": 17, "type": "L"}]
    row = {
        "text": "Ann was born Rome",
        "entities": entities,
        "relations": [{"head": 0, "tail": 1, "type": "born in"}],
    }
    assert said(build("relation", row)[0])[-1] == "Ann | born in | Rome"


def test_fields_that_every_row_gets():
    row = {"text": "Good day", "target": "Guten Tag"}
    (made,) = build("translation:set=target_language=German", row)
    assert "German" in said(made)[0]
    assert said(made)[1] == "Guten Tag"
    assert build("translation", row) == []


SAMPLES = {
    "classification": {"text": "t", "label": "a"},
    "pair": {"texts": ["t", "u"], "label": "a"},
    "ner": {"tokens": ["t"], "tags": ["B-X"]},
    "relation": {"text": "t", "entities": [], "relations": []},
    "qa": {"text": "t", "question": "q?", "answer": "a"},
    "translation": {"text": "t", "target": "u", "target_language": "X"},
    "summarisation": {"text": "t", "summary": "s"},
    "dialogue": {"text": "t", "response": "r"},
    "code": {"text": "t", "code": "c"},
}


@pytest.mark.parametrize("name", sorted(path.stem for path in BUILT_IN.glob("*.toml")))
def test_built_in_templates_say_it_in_several_ways_in_two_languages(name):
    for language in ("en", "zh"):
        made = build(f"{name}:phrasings=all,language={language}", SAMPLES[name])
        questions = {said(one)[0] for one in made}
        assert len(questions) >= 3
        assert {bool(re.search("[一-鿿]", question)) for question in questions} == {
            language == "zh"
        }
        assert all("{" not in question and "  " not in question for question in questions)


def test_labels():
    rows = [{"label": "b"}, {"label": ["c", "a"]}, {"label": 1.5}, {}]
    assert label_names(Record(row) for row in rows) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("clasification", "no instruction template 'clasification'"),
        ("nowhere.toml", "no such file"),
        ("classification:shot=1", "has no option 'shot'"),
        ("classification:shots", "expected key=value, got 'shots'"),
        ("classification:shots=-1", "numbers from 0 on"),
        ("classification:set=x", "expected name=value"),
        ("classification:style=prose", "cannot be 'prose'"),
    ],
)
def test_wrong_specs(spec, message):
    with pytest.raises(UserError, match=message):
        Instructions(spec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task = ", "not TOML"),
        ("task = 'x'", "needs a task and"),
        ("task = 'x'\nphrasing = []", "has no phrasing"),
        ("task='x'\n[[phrasing]]\ninstruction='a'", "needs 'output'"),
        ("task='x'\n[[phrasing]]\ninstruction='a'\noutput='b'\nimput='c'", "has no 'imput'"),
        ("task='x'\n[[phrasing]]\ninstruction='{{'\noutput='b'", "fault in line 1"),
    ],
)
def test_wrong_files(write, text, message):
    with pytest.raises(UserError, match=message):
        Instructions(write("x.toml", text))


def test_specs_are_taken_apart():
    assert parted("a/b.toml:shots=0+2,set=x=y") == ("a/b.toml", {"shots": "0+2", "set": "x=y"})
    assert parted("ner") == ("ner", {})
