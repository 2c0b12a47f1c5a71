"""entity_f1: seqeval's numbers from tags, the same from spans and from answers in words."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import IOB1, IOB2, IOBES

from instructune.errors import UserError
from instructune.evaluating import predictions, scoring
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.evaluating.summaries import Plan, summarise
from instructune.statistics.tables import exact_sums, unit_means

TOKENS = ["Barack", "Obama", "was", "born", "in", "Hawaii"]
TAGS = ["B-PER", "I-PER", "O", "O", "O", "B-LOC"]
TEXT = " ".join(TOKENS)
ENTITIES = [{"start": 0, "end": 12, "type": "PER"}, {"start": 25, "end": 31, "type": "LOC"}]


def tagged(true, predicted):
    pairs = enumerate(zip(true, predicted, strict=True))
    return [
        Answer(p, [t], "tags", {"id": f"{i:03}", "tokens": ["w"] * len(t), "tags": t})
        for i, (t, p) in pairs
    ]


def value_of(spec, answers):
    metric = Metric(spec)
    return float(metric.value(exact_sums(metric.statistics(answers))))


def details_of(answers, spec="entity_f1"):
    metric = Metric(spec)
    return metric.details(answers, exact_sums(metric.statistics(answers)))


@pytest.mark.parametrize(
    ("true", "predicted", "strict", "conll"),
    [
        (
            [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG", "I-ORG", "I-ORG"]],
            [["B-PER", "I-PER", "O", "I-LOC"], ["O", "I-ORG", "I-ORG", "I-ORG"]],
            0.5,
            1.0,
        ),
        ([["B-PER", "I-LOC", "O"]], [["B-PER", "I-PER", "O"]], 0.0, 0.0),
    ],
)
def test_reference_vectors(true, predicted, strict, conll):
    answers = tagged(true, predicted)
    assert value_of("entity_f1", answers) == strict
    assert value_of("entity_f1:scheme=iob2", answers) == strict
    assert value_of("entity_f1:scheme=conll", answers) == conll


def rows_of(marks):
    kinds = [f"{mark}-{kind}" for mark in marks for kind in ("PER", "LOC")]
    row = st.lists(st.sampled_from([*kinds, "O"]), min_size=5, max_size=5)
    return st.lists(st.tuples(row, row), min_size=1, max_size=6)


@settings(max_examples=60)
@pytest.mark.parametrize(
    ("scheme", "marks", "theirs"),
    [("iob2", "BI", IOB2), ("iob1", "BI", IOB1), ("bioes", "BIES", IOBES)],
)
@given(data=st.data())
def test_strict_equals_seqeval(scheme, marks, theirs, data):
    true, predicted = map(list, zip(*data.draw(rows_of(marks)), strict=True))
    answers = tagged(true, predicted)
    reference = {"f1": f1_score, "precision": precision_score, "recall": recall_score}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, score in reference.items():
            for average in ("micro", "macro"):
                wanted = score(true, predicted, mode="strict", scheme=theirs, average=average)
                found = value_of(f"entity_{name}:scheme={scheme},average={average}", answers)
                assert found == pytest.approx(0.0 if np.isnan(wanted) else wanted, abs=1e-9)


@settings(max_examples=60)
@given(rows_of("BIES"))
def test_conll_equals_seqeval_by_default(pairs):
    true, predicted = map(list, zip(*pairs, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for average in ("micro", "macro"):
            wanted = f1_score(true, predicted, average=average)
            found = value_of(f"entity_f1:scheme=conll,average={average}", tagged(true, predicted))
            assert found == pytest.approx(0.0 if np.isnan(wanted) else wanted, abs=1e-9)


def test_details():
    answers = tagged(
        [["B-PER", "I-PER", "O"], ["B-LOC", "O", "O"], ["B-PER", "O", "O"]],
        [["B-PER", "I-PER", "B-ORG"], ["B-PER", "O", "O"], None],
    )
    found = details_of(answers)
    third = pytest.approx(1 / 3)
    assert found == {
        "scheme": "iob2",
        "micro": {"precision": third, "recall": third, "f1": third},
        "macro": {
            "precision": pytest.approx(1 / 6),
            "recall": pytest.approx(1 / 6),
            "f1": pytest.approx(1 / 6),
        },
        "per_type": {
            "LOC": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "true": 1, "predicted": 0},
            "PER": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "true": 2, "predicted": 2},
        },
        "outside": {"ORG": 1},
        "unread": 0,
    }


IN_WORDS = [
    "PER: Barack Obama; LOC: Hawaii",
    "Person: Barack Obama\nPlace: Hawaii",
    '{"PER": ["Barack Obama"], "LOC": ["Hawaii"]}',
    "<PER>Barack Obama</PER> was born in <LOC>Hawaii</LOC>",
]


@pytest.mark.parametrize("prediction", [TAGS, *IN_WORDS])
@pytest.mark.parametrize("match", ["strict", "exact", "partial", "type"])
def test_words_score_as_tags_do(prediction, match):
    row = {"id": "1", "tokens": TOKENS, "tags": TAGS}
    assert value_of(f"entity_f1:match={match}", [Answer(prediction, [], "tags", row)]) == 1.0


@pytest.mark.parametrize("prediction", IN_WORDS)
def test_words_against_spans_and_words(prediction):
    row = {"id": "1", "text": TEXT, "entities": ENTITIES}
    assert value_of("entity_f1", [Answer(prediction, [], "entities", row)]) == 1.0
    for reference in IN_WORDS:
        told = [Answer(prediction, [reference], "text", {"id": "1"})]
        assert value_of("entity_f1", told) == 1.0


def test_spans_against_spans():
    wrong = {"start": 25, "end": 30, "type": "LOC"}
    row = {"id": "1", "text": TEXT, "entities": ENTITIES, "spans": [ENTITIES[0], wrong]}
    answers = [Answer([], [], "entities", row)]
    assert value_of("entity_f1", answers) == 0.5
    assert value_of("entity_f1:match=partial", answers) == 0.75


# true PER 0-2 and LOC 5-6; an overlap of PER, and LOC with the type ORG
@pytest.mark.parametrize(
    ("match", "precision", "recall"),
    [("strict", 0, 0), ("exact", 1 / 3, 0.5), ("partial", 0.5, 0.75), ("type", 1 / 3, 0.5)],
)
def test_the_four_matches(match, precision, recall):
    predicted = ["O", "B-PER", "O", "B-PER", "O", "B-ORG"]
    answers = tagged([TAGS], [predicted])
    assert value_of(f"entity_precision:match={match}", answers) == pytest.approx(precision)
    assert value_of(f"entity_recall:match={match}", answers) == pytest.approx(recall)


def test_a_true_entity_is_met_once():
    answers = tagged([["B-PER", "I-PER"]], [["B-PER", "B-PER"]])
    assert value_of("entity_precision:match=partial", answers) == 0.25
    assert value_of("entity_recall:match=partial", answers) == 0.5


def test_answers_that_name_none_and_those_that_cannot_be_read():
    row = {"tokens": TOKENS, "tags": TAGS}
    said = ["none", "I can't do that.", None, "PER: Barack Obama, Paris"]
    answers = [Answer(p, [], "tags", row | {"id": str(i)}) for i, p in enumerate(said)]
    assert details_of(answers)["unread"] == 1
    assert value_of("entity_precision", answers) == 0.5
    assert value_of("entity_recall", answers) == 1 / 8


def test_no_entities_at_all():
    assert value_of("entity_f1", tagged([["O"]], [["O"]])) == 0.0
    assert value_of("entity_f1:average=macro", tagged([["O"]], [["O"]])) == 0.0


def test_of_several_references_the_best():
    answers = [Answer("PER: Ann", ["PER: Bob", "PER: Ann"], "text", {"id": "1"})]
    assert value_of("entity_f1", answers) == 1.0


def test_samples_of_an_id_are_one_unit():
    true = [["B-PER"], ["B-PER"], ["B-PER"]]
    answers = tagged(true, [["B-X"], ["B-PER"], ["B-PER"]])
    answers[1] = answers[1]._replace(row=answers[1].row | {"id": "000"})
    metric = Metric("entity_f1:average=macro")
    sums = exact_sums(unit_means(metric.statistics(answers), np.array([0, 2])))
    # PER: 1.5 of 2 found, none wrongly; X is one of two types
    assert float(metric.value(sums)) == pytest.approx((2 * 0.75 / 1.75) / 2)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(["O"], [], "tags", {"tokens": TOKENS, "tags": TAGS}), "has 1 tags for 6 tokens"),
        (Answer("x", [], "tags", {"tags": TAGS}), "has 6 tags for 0 tokens"),
        (Answer(["?"], [], "tags", {"tokens": ["a"], "tags": ["O"]}), "'?' is no tag of an entity"),
        (Answer("x", [], "tags", {"tokens": ["a"], "tags": ["NOUN"]}), "'NOUN' is no tag"),
        (Answer("x", ["so it is"], "text", {}), "its reference names no entities that can be read"),
        (Answer("x", [], "entities", {"entities": ENTITIES}), "no text that they stand in"),
        (
            Answer("x", [], "entities", {"text": "short", "entities": ENTITIES}),
            "entities must hold start and end within the text",
        ),
        (
            Answer(["x"], [], "entities", {"text": TEXT, "entities": []}),
            "prediction must hold start",
        ),
    ],
)
def test_what_cannot_be_scored(answer, reason):
    answer = answer._replace(row={"id": "q"} | answer.row)
    with pytest.raises(UserError) as caught:
        value_of("entity_f1", [answer])
    assert reason in caught.value.reason


def test_bootstrap_pairs_and_order(write):
    rng = random.Random(3)
    kinds = ["O", "O", "B-PER", "I-PER", "B-LOC"]
    rows, others = [], []
    for i in range(40):
        tags = rng.choices(kinds, k=8)
        row = {"id": f"{i:02}", "tokens": [f"w{n}" for n in range(8)], "tags": tags}
        rows.append(row | {"prediction": [t if rng.random() < 0.8 else "O" for t in tags]})
        others.append(row | {"prediction": [t if rng.random() < 0.5 else "O" for t in tags]})
    found = []
    for name in ("a", "b"):
        system = predictions.read_predictions(write(f"{name}.jsonl", rows))
        answers = predictions.answers(system)
        pairs = predictions.paired(
            system, answers, predictions.read_predictions(write("base.jsonl", others))
        )
        names, _ = scoring.choose([], [], answers)
        assert names == ["entity_f1"]
        plan = Plan([*names, "entity_f1:average=macro"], (), 300, 0, {})
        found.append(summarise(plan, answers, pairs))
        rng.shuffle(rows)
    assert found[0] == found[1]
    summary = found[0][0]
    assert summary["ci95"][0] < summary["value"] < summary["ci95"][1]
    assert summary["delta"] > 0
    assert summary["p"] < 0.05


def test_a_baseline_brings_its_own_spans(write):
    row = {"id": "1", "text": TEXT, "entities": ENTITIES, "prediction": []}
    system = predictions.read_predictions(write("a.jsonl", [row | {"spans": ENTITIES}]))
    answers = predictions.answers(system)
    baseline = predictions.read_predictions(write("b.jsonl", [row | {"spans": ENTITIES[:1]}]))
    pairs = predictions.paired(system, answers, baseline)
    assert [value_of("entity_recall", a) for a in (answers, pairs)] == [1.0, 0.5]
