"""predictions: strict rows, references from either side, joins that miss nothing."""

from __future__ import annotations

import json

import pytest

from instructune.errors import Exit, UserError
from instructune.evaluating import predictions


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write rows (or raw lines) to a file and return its name, relative as a user would type it."""
    monkeypatch.chdir(tmp_path)

    def write(name, rows):
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
        return name

    return write


def row(name, prediction="x", **more):
    return {"id": name, "prediction": prediction} | more


def chat(name, answer):
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer}]
    return {"id": name, "messages": turns}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"id": "b" 1}', "not JSON (expecting ',' delimiter at column 12)"),
        ('["id"]', "not a JSON object but an array"),
        ({"prediction": "x"}, "has no id"),
        ({"id": None, "prediction": "x"}, "id must be a non-empty string, got None"),
        ({"id": "", "prediction": "x"}, "id must be a non-empty string, got ''"),
        ({"id": "b"}, "id 'b' has no prediction (null stands for an error)"),
        (row("b", sample=-1), "sample must be a whole number from 0 up, got -1"),
        (row("b", sample=True), "sample must be a whole number from 0 up, got True"),
        (row("b", sample=None), "sample must be a whole number from 0 up, got None"),
        (row("a"), "id 'a' sample 0 is repeated, first at p.jsonl:1"),
    ],
)
def test_a_bad_row_stops_with_its_place(write, bad, reason):
    name = write("p.jsonl", [row("a"), "", bad])
    with pytest.raises(UserError) as caught:
        predictions.read_predictions(name)
    assert (caught.value.code, caught.value.where) == (Exit.BAD_DATA, "p.jsonl:3")
    assert caught.value.reason == reason


def test_all_bad_rows_are_counted(write):
    name = write("p.jsonl", [{"id": "a"}, {"id": "b"}, row("c"), {"id": "d"}, "x", {}])
    with pytest.raises(UserError) as caught:
        predictions.read_predictions(name)
    assert caught.value.reason == (
        "id 'a' has no prediction (null stands for an error)\n"
        "  5 bad rows in all: also p.jsonl:2, p.jsonl:4, p.jsonl:5 …"
    )


def test_an_empty_file_is_an_error(write):
    with pytest.raises(UserError, match="no predictions") as caught:
        predictions.read_predictions(write("p.jsonl", [""]))
    assert (caught.value.code, caught.value.where) == (Exit.BAD_DATA, "p.jsonl")


def test_samples_are_keys_and_a_number_is_an_id(write):
    name = write("p.jsonl", [row(7), row("7", sample=1), row("8", sample=0)])
    found = predictions.read_predictions(name)
    keys = [(r.value["id"], r.value.get("sample")) for r in found.rows]
    assert keys == [("7", None), ("7", 1), ("8", 0)]


@pytest.mark.parametrize(
    ("fields", "kind", "references"),
    [
        ({"references": ["a", "b"]}, "text", ["a", "b"]),
        ({"references": ["a"], "label": "b"}, "text", ["a"]),
        ({"text": "t", "label": "b"}, "label", ["b"]),
        (chat("q", "yes"), "text", ["yes"]),
        ({"messages": chat("q", "")["messages"][:1], "checks": [{"check": "quoted"}]}, "none", []),
        ({"text": "t", "entities": []}, "entities", [[]]),
        ({"text": "t", "entities": [], "relations": []}, "relations", [[]]),
        (chat("q", "yes") | {"entities": []}, "text", ["yes"]),
    ],
)
def test_references_of_a_row(write, fields, kind, references):
    name = write("p.jsonl", [row("q") | fields])
    (answer,) = predictions.answers(predictions.read_predictions(name))
    assert (answer.prediction, answer.kind, answer.references) == ("x", kind, references)
    assert answer.row["id"] == "q"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"prediction": ["x"], "label": ["a", "b"]}, "labels"),
        ({"prediction": 1, "label": 0.5}, "number"),
        ({"prediction": ["O"], "tokens": ["w"], "tags": ["O"]}, "tags"),
        ({"prediction": "PER: Ann", "tokens": ["w"], "tags": ["O"]}, "tags"),
    ],
)
def test_kinds_that_are_no_strings(write, fields, kind):
    found = predictions.read_predictions(write("p.jsonl", [row("q") | fields]))
    assert predictions.answers(found)[0].kind == kind


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row("b"), "id 'b' has no references"),
        (row("b", references=[]), "references must be a non-empty list"),
        (
            row("b", references=["x", 1]),
            "references must be strings, numbers or lists, and all of one type",
        ),
        (row("b", references=["x"], prediction=1), "id 'b': prediction must be a string"),
        (row("b", label=1.0), "id 'b': prediction must be a number"),
        (row("b", messages="x"), "messages must be a non-empty list of turns"),
        (row("b", messages=[{"role": "user", "content": "?"}]), "id 'b' has no references"),
        (
            row(
                "b",
                messages=[
                    {"role": "user", "content": "?"},
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [{"function": {"name": "f"}}],
                    },
                ],
            ),
            "id 'b': its reference answer is a tool call, not text",
        ),
    ],
)
def test_a_row_that_cannot_be_scored_stops_with_its_place(write, bad, reason):
    found = predictions.read_predictions(write("p.jsonl", [row("a", references=["x"]), bad]))
    with pytest.raises(UserError) as caught:
        predictions.answers(found)
    assert (caught.value.code, caught.value.where) == (Exit.BAD_DATA, "p.jsonl:2")
    assert caught.value.reason.startswith(reason)
    hint = caught.value.hint or ""
    assert ("--references FILE" in hint) == ("has no references" in reason)
    assert ("references tell what is predicted" in hint) == ("prediction must be" in reason)


def test_references_are_not_needed_by_all_metrics(write):
    found = predictions.read_predictions(write("p.jsonl", [row("a"), row("b", label="y")]))
    answers = predictions.answers(found, needed=False)
    assert [(a.kind, a.references) for a in answers] == [("none", []), ("label", ["y"])]


def test_errors_have_no_prediction_and_a_file_of_errors_no_score(write):
    rows = [row("a", None, label="x"), row("b", "x", label="x", finish_reason="error")]
    name = write("p.jsonl", [*rows, row("c", "", label="x", finish_reason="filtered")])
    found = predictions.answers(predictions.read_predictions(name))
    assert [answer.prediction for answer in found] == [None, None, ""]
    with pytest.raises(UserError, match=r"every prediction is an error \(2 rows\)"):
        predictions.answers(predictions.read_predictions(write("p.jsonl", rows)))


def test_records_give_their_fields_but_never_an_answer(write):
    found = predictions.read_predictions(write("p.jsonl", [row("q", "mine", own=1, task="t")]))
    reference = chat("q", "yes") | {
        "origin": "r:1",
        "task": "u",
        "prediction": "theirs",
        "model": 1,
    }
    records, tally = predictions.read_references(write("r.jsonl", [reference]))
    (joined,) = predictions.join_references(found, "r.jsonl", records).rows
    assert joined.where == "p.jsonl:1"
    assert joined.value == chat("q", "yes") | {
        "origin": "r:1",
        "task": "u",
        "prediction": "mine",
        "own": 1,
    }
    assert tally.formats == {"record": 1}


def test_references_may_be_raw_rows_of_a_known_format(write):
    name = write("r.jsonl", [{"id": 1, "instruction": "?", "output": "yes"}])
    records, tally = predictions.read_references(name)
    assert records["1"].references() == ["yes"]
    assert tally.formats == {"alpaca": 1}


def test_an_id_on_one_side_only_is_named(write):
    found = predictions.read_predictions(write("p.jsonl", [row(n) for n in "abcdef"]))
    records, _ = predictions.read_references(write("r.jsonl", [chat(n, "y") for n in "fgh"]))
    with pytest.raises(UserError) as caught:
        predictions.join_references(found, "r.jsonl", records)
    assert caught.value.code == Exit.BAD_DATA
    assert caught.value.reason == (
        "the two files do not hold the same ids: 5 only in p.jsonl ('a', 'b', 'c' …), "
        "2 only in r.jsonl ('g', 'h')"
    )


def pair(write, system, baseline):
    mine = predictions.read_predictions(write("p.jsonl", system))
    theirs = predictions.read_predictions(write("b.jsonl", baseline))
    return predictions.paired(mine, predictions.answers(mine), theirs)


def test_a_baseline_is_paired_by_key_and_borrows_the_references(write):
    system = [row("a", "1", label="x"), row("a", "2", label="x", sample=1), row("b", label="y")]
    baseline = [row("b", "5", label="y"), row("a", "4", sample=1), row("a", "3", sample=0)]
    found = pair(write, system, baseline)
    assert [(a.prediction, a.references) for a in found] == [
        ("3", ["x"]),
        ("4", ["x"]),
        ("5", ["y"]),
    ]


def test_a_baseline_keeps_what_it_measured_and_borrows_what_was_asked(write):
    mine, theirs = {"label_scores": {"x": -1.0}}, {"label_scores": {"x": -2.0}}
    system = [row("a", "1", label="x", task="t", scores={"f1": 1}) | mine, row("b", label="x")]
    found = pair(write, system, [row("a", "2") | theirs, row("b")])
    assert found[0].row["label_scores"] == {"x": -2.0}
    assert found[0].row["task"] == "t"
    assert "scores" not in found[0].row


@pytest.mark.parametrize(
    ("baseline", "reason"),
    [
        (
            [row("a"), row("b", sample=1)],
            "the two files do not hold the same ids: 1 only in p.jsonl ('b' sample 0), "
            "1 only in b.jsonl ('b' sample 1)",
        ),
        ([row("a"), row("b", label="z")], "id 'b' has other references than in p.jsonl"),
        ([row("a"), row("b", ["x"])], "id 'b': prediction must be a string"),
        ([row("a", None), row("b", None)], "every prediction is an error (2 rows)"),
    ],
)
def test_a_baseline_that_does_not_match_is_refused(write, baseline, reason):
    with pytest.raises(UserError) as caught:
        pair(write, [row("a", label="x"), row("b", label="y")], baseline)
    assert caught.value.code == Exit.BAD_DATA
    assert caught.value.reason.startswith(reason)
