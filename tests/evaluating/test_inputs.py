"""inputs: what eval reads, joined, and the places it refuses to write to."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from instructune.errors import Exit, UserError
from instructune.evaluating.inputs import check_places, read_inputs


def answered(text):
    return [{"id": str(i), "prediction": text} for i in range(2)]


def test_both_systems_are_joined_with_the_references(write):
    names = [write("a.jsonl", answered("a")), write("b.jsonl", answered("b"))]
    rows = [{"id": str(i), "question": f"{i}?", "answer": "a"} for i in range(2)]
    names.append(write("refs.jsonl", rows))
    found = read_inputs(*names)
    assert found.baseline
    for system, said in ((found.system, "a"), (found.baseline, "b")):
        assert [row.value["prediction"] for row in system.rows] == [said, said]
        assert [row.value["messages"][0]["content"] for row in system.rows] == ["0?", "1?"]
    assert found.notes == [f"{names[2]}: 2 rows read as qa"]
    assert found.hashes == {
        name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in names
    }


def test_predictions_alone(write):
    found = read_inputs(write("a.jsonl", answered("a")), None, None)
    assert (found.baseline, found.notes, len(found.system.rows)) == (None, [], 2)


@pytest.mark.parametrize(
    ("inputs", "outputs", "reason", "code"),
    [
        (["-", None, "-"], [], "standard input can serve only one", Exit.USAGE),
        (["a.jsonl"], ["a.jsonl"], "is also an input", Exit.USAGE),
        (["a.jsonl"], ["x.jsonl", None, "x.jsonl"], "two outputs", Exit.USAGE),
        (["a.jsonl"], ["no/x.jsonl"], "no such directory", Exit.CANNOT_CREATE),
    ],
)
def test_places_are_refused_before_anything_is_read(inputs, outputs, reason, code, write):
    folder = Path(write("a.jsonl", [])).parent
    there = [
        [n and (n if n == "-" else str(folder / n)) for n in names] for names in (inputs, outputs)
    ]
    with pytest.raises(UserError, match=reason) as caught:
        check_places(*there)
    assert caught.value.code == code
