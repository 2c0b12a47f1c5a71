"""relation_f1: strict and by boundaries, from records and from triples in words."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.statistics.tables import exact_sums

ANN, ROME, ACME = (
    {"start": 0, "end": 3, "type": "PER"},
    {"start": 16, "end": 20, "type": "LOC"},
    {"start": 34, "end": 38, "type": "ORG"},
)
ROW = {
    "id": "1",
    "text": "Ann was born in Rome, and runs an Acme.",
    "entities": [ANN, ROME, ACME],
    "relations": [
        {"head": 0, "tail": 1, "type": "born_in"},
        {"head": 0, "tail": 2, "type": "runs"},
    ],
}


def value_of(prediction, spec="relation_f1", **more):
    metric = Metric(spec)
    answers = [Answer(prediction, [ROW["relations"]], "relations", ROW | more)]
    return float(metric.value(exact_sums(metric.statistics(answers))))


@pytest.mark.parametrize(
    ("prediction", "strict", "boundaries"),
    [
        ([{"head": 0, "tail": 1, "type": "born_in"}, {"head": 0, "tail": 2, "type": "runs"}], 1, 1),
        ([{"head": 0, "tail": 1, "type": "born_in"}], 2 / 3, 2 / 3),
        ([{"head": 1, "tail": 0, "type": "born_in"}], 0, 0),
        ([{"head": 0, "tail": 1, "type": "died_in"}], 0, 0),
        ([{"head": 0, "tail": 1, "type": "born_in"}] * 2, 2 / 3, 2 / 3),
        ([{"head": ANN, "tail": ROME | {"type": "ORG"}, "type": "born_in"}], 0, 2 / 3),
        ([{"head": ANN, "tail": ROME | {"end": 21}, "type": "born_in"}], 0, 0),
        ([], 0, 0),
        (None, 0, 0),
        ("Ann (PER) | born in | Rome (LOC)\nAnn (PER) | runs | Acme (ORG)", 1, 1),
        ("Ann (PER) | born in | Rome (ORG)", 0, 2 / 3),
        ("no idea", 0, 0),
    ],
)
def test_value(prediction, strict, boundaries):
    spans = [ANN, ROME, ACME]
    assert value_of(prediction, spans=spans) == pytest.approx(strict)
    found = value_of(prediction, "relation_f1:match=boundaries", spans=spans)
    assert found == pytest.approx(boundaries)


def test_triples_without_types_have_no_strict_score():
    with pytest.raises(UserError, match="no prediction names any") as caught:
        value_of("(Ann, born in, Rome)")
    assert caught.value.hint == "--metric relation_f1:match=boundaries"
    assert value_of("(Ann, born in, Rome)", "relation_f1:match=boundaries") == pytest.approx(2 / 3)


def test_references_in_words_and_details():
    metric = Metric("relation_f1")
    answers = [
        Answer(
            "(Ann, runs, Acme)", ["(Bob, runs, Acme)", "(Ann, runs, Acme)"], "text", {"id": "1"}
        ),
        Answer("(Ann, likes, Rome)", ["(Ann, born_in, Rome)"], "text", {"id": "2"}),
        Answer("so what", ["(Ann, born_in, Rome)"], "text", {"id": "3"}),
    ]
    sums = exact_sums(metric.statistics(answers))
    assert float(metric.value(sums)) == pytest.approx(2 / 5)
    found = metric.details(answers, sums)
    assert found["per_type"]["runs"] == {
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "true": 1,
        "predicted": 1,
    }
    assert (found["outside"], found["unread"]) == ({"likes": 1}, 1)
    macro = Metric("relation_f1:average=macro")
    assert float(macro.value(sums)) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("prediction", "more", "reason"),
    [
        (["x"], {}, "prediction must hold head, tail and type, got x"),
        ([{"head": 9, "tail": 0, "type": "runs"}], {}, "the head 9 is no entity"),
        ([{"head": {"start": 0}, "tail": "Rome", "type": "runs"}], {}, "has no place in the row's"),
        ("x", {"entities": None}, "relations and entities must be lists"),
        ("x", {"text": "short"}, "the span 16 to 20 is not in the text"),
    ],
)
def test_what_cannot_be_scored(prediction, more, reason):
    with pytest.raises(UserError) as caught:
        value_of(prediction, **more)
    assert reason in caught.value.reason
    assert "'1'" in caught.value.reason
