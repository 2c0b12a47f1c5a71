"""pair: entities marked in a text, the pairs that are looked at, and relations back."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from instructune.architectures import Head
from instructune.configs import TrainConfig
from instructune.errors import UserError
from instructune.models import load_model
from instructune.objectives.pair import Options, cases, marked
from instructune.records import Record
from tests.explaining import answered, headed
from tests.objectives.asked import answers
from tests.tuning import train_run, work_of, write_rows

TEXT = "Ada was born in Rome near Bob"
ENTITIES = [
    {"start": 0, "end": 3, "type": "Person"},
    {"start": 16, "end": 20, "type": "City"},
    {"start": 26, "end": 29, "type": ""},
]


def relation(head: int, tail: int, kind: str) -> dict[str, Any]:
    return {"head": head, "tail": tail, "type": kind}


def told(*relations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"text": TEXT, "entities": ENTITIES, "relations": list(relations)} | more


def work_on(folder: Any, rows: Any, objective: str = "pair", **given: Any) -> Any:
    data = write_rows(folder / "data.jsonl", rows)
    settings = {"model": "tiny-bert", "objective": objective, "format": "record"} | given
    return work_of(TrainConfig(data=(data,), **settings))


@pytest.mark.parametrize(
    ("ends", "markers", "text"),
    [
        ((0, 1), "typed", "@ * person * Ada @ was born in # ^ city ^ Rome # near Bob"),
        ((1, 0), "typed", "# ^ person ^ Ada # was born in @ * city * Rome @ near Bob"),
        ((0, 2), "typed", "@ * person * Ada @ was born in Rome near # Bob #"),
        ((0, 1), "plain", "@ Ada @ was born in # Rome # near Bob"),
    ],
)
def test_marks(ends, markers, text):
    assert marked(TEXT, ENTITIES, ends, markers) == text


def test_marks_of_entities_within_each_other():
    entities = [{"start": 0, "end": 6}, {"start": 0, "end": 3}, {"start": 3, "end": 6}]
    assert marked("abcdef", entities, (0, 1), "plain") == "@ # abc #def @"
    assert marked("abcdef", entities, (0, 2), "plain") == "@ abc# def # @"
    assert marked("abcdef", entities, (1, 2), "plain") == "@ abc @# def #"


def test_the_pairs_that_are_looked_at():
    record = Record(told(relation(0, 1, "born_in")))
    given = cases(record, Options())
    assert [(case.ends, case.label) for case in given] == [((0, 1), "born_in")]
    every = cases(record, Options(pairs="all", none="-"))
    assert {case.ends: case.label for case in every} == {
        (0, 1): "born_in",
        (0, 2): "-",
        (1, 0): "-",
        (1, 2): "-",
        (2, 0): "-",
        (2, 1): "-",
    }
    asked = Record({"text": TEXT, "entities": ENTITIES[:2]})
    assert [(case.ends, case.label) for case in cases(asked, Options())] == [
        ((0, 1), None),
        ((1, 0), None),
    ]


def test_rows_and_labels(tmp_path):
    rows = [
        told(relation(0, 1, "born_in"), relation(0, 2, "near")),
        {"texts": ["a", "b"], "label": "near"},
    ]
    work = work_on(tmp_path, rows)
    assert work.role.head.labels == ("born_in", "near")
    batch = work.data.batch([0, 1, 2], work.pad_id)
    assert batch.targets.tolist() == [0, 1, 1]
    assert batch.inputs["token_type_ids"][2, :6].tolist() == [0, 0, 0, 1, 1, 0]
    assert work.counts["encoding"] == {"one record, several rows, added": 1}
    assert work.data.records[0] == work.data.records[1]


def test_the_loss_is_that_of_transformers(tmp_path):
    work = work_on(tmp_path, [told(relation(0, 1, "a"), relation(0, 2, "b"))])
    net: Any = load_model(work.model, dtype=torch.float32, seed=1, head=work.role.head)
    batch = work.data.batch([0, 1], work.pad_id)
    wanted = net(batch.input_ids, attention_mask=batch.attention_mask, labels=batch.targets).loss
    found = work.objective.loss(net)(batch) / batch.units
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("rows", "objective", "reason"),
    [
        ([{"text": "a"}], "pair", "jsonl:1: has no pair of texts, and no text with entities"),
        ([{"texts": ["a", "b"]}], "pair", "jsonl:1: has no label to learn"),
        ([{"text": TEXT, "entities": ENTITIES}], "pair", "jsonl:1: has no label to learn"),
        ([{"text": "a", "entities": [], "relations": []}], "pair", "jsonl:1: has no relations"),
        ([{"texts": ["a", "b"], "label": ["x", "y"]}], "pair", "jsonl:1: has several labels"),
        ([{"texts": ["a", "b"], "label": "x"}], "pair", "there is only one label, 'x'"),
        ([{"texts": ["a", "b"], "label": "x"}], "pair:markers=bold", "markers"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path, rows, objective, reason):
    with pytest.raises(UserError, match=reason):
        work_on(tmp_path, rows, objective)


def test_it_learns_relations(tmp_path):
    rows = [told(relation(0, 1, "born_in"), relation(0, 2, "near"), id="1")]
    write_rows(tmp_path / "data.jsonl", rows)
    given = {"model": "tiny-bert", "objective": "pair:pairs=all", "learning_rate": 0.003}
    train_run(tmp_path, epochs=40.0, format="record", **given)
    (found,) = answers(tmp_path, [{"id": "1", "text": TEXT, "entities": ENTITIES}])
    assert found["prediction"] == rows[0]["relations"]


def test_it_learns_pairs_of_texts(tmp_path):
    rows = [
        {"id": str(i), "texts": pair, "label": label}
        for i, (pair, label) in enumerate(
            [(["aa", "aa"], "same"), (["bb", "cc"], "other"), (["dd", "aa"], "other")]
        )
    ]
    write_rows(tmp_path / "data.jsonl", rows)
    given = {"model": "tiny-bert", "objective": "pair", "learning_rate": 0.003}
    train_run(tmp_path, epochs=40.0, format="record", **given)
    found = answers(tmp_path, rows)
    assert [row["prediction"] for row in found] == ["same", "other", "other"]
    assert set(found[0]["label_scores"]) == {"same", "other"}


HEAD = Head("sequence", ("no_relation", "near", "born_in"), "single_label_classification", 256)


def test_the_surest_relation_stands_for_the_answer():
    of = headed("pair", HEAD, pairs="all")
    asked = {"text": TEXT, "entities": ENTITIES}
    fields, target = answered(of, asked)
    assert fields["prediction"]
    assert target
    scores = {}
    for row, case in zip(
        of.answers.rows(Record(asked | {"id": "1"})),
        cases(Record(asked), Options(pairs="all")),
        strict=True,
    ):
        with torch.no_grad():
            told = of.model(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
        if told.argmax():
            scores[case.ends] = (told.max().item(), row.ids, HEAD.labels[told.argmax()])
    assert len(scores) == len(fields["prediction"])
    ends = max(scores, key=lambda ends: scores[ends][0])
    value, ids, label = scores[ends]
    assert target.row.ids == ids
    score = target.score(of.model, torch.tensor([ids])).item()
    assert score == pytest.approx(value, abs=1e-5)
    names = [repr(TEXT[ENTITIES[i]["start"] : ENTITIES[i]["end"]]) for i in ends]
    assert target.words == f"log-probability of {label!r} between {' and '.join(names)}"


def test_where_nothing_holds_only_a_single_pair_is_explained():
    of = headed("pair", HEAD)
    with torch.no_grad():
        of.model.classifier.bias[0] += 99
    assert answered(of, {"text": TEXT, "entities": ENTITIES}) == ({"prediction": []}, None)
    fields, target = answered(of, told(relation(0, 1, "near")))
    assert fields == {"prediction": []}
    assert target
    assert target.words.startswith("log-probability of 'no_relation' between ")


def test_the_label_of_two_texts_stands_for_itself():
    of = headed("pair", HEAD)
    fields, target = answered(of, {"texts": ["a b", "c"]})
    assert target
    expected = fields["label_scores"][fields["prediction"]]
    score = target.score(of.model, torch.tensor([target.row.ids])).item()
    assert score == pytest.approx(expected, abs=1e-5)
    assert target.words == f"log-probability of {fields['prediction']!r}"
