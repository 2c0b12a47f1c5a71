"""controls: what answers score that ignore the question, exact where that can be computed."""

from __future__ import annotations

import random

import pytest

from instructune.evaluating import controls
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.evaluating.systems import units_of

REFUSALS = ["I can't do that.", controls.REFUSAL, "", "yes"]


def rows(references, kind="label", **columns):
    made = []
    for i, reference in enumerate(references):
        more = {name: column[i] for name, column in columns.items()}
        made.append(Answer("?", [reference], kind, {"id": f"{i:03}"} | more))
    return made


def made_of(answers):
    return controls.made_of(answers, units_of(answers, None))


def tried(spec, answers):
    return controls.tried(Metric(spec, answers), made_of(answers))


def test_of_classes_the_majority_and_a_guess_are_exact():
    answers = rows(["a"] * 6 + ["b"] * 3 + ["c"])
    assert tried("accuracy", answers) == {
        "constant": 0.6,
        "guess": pytest.approx(0.36 + 0.09 + 0.01),
        "refusal": 0.0,
        "echo": 0.0,
    }
    recall = tried("recall", answers)
    assert (recall["constant"], recall["guess"]) == (pytest.approx(1 / 3), 1 / 3)
    f1 = tried("f1", answers)
    assert f1["constant"] == pytest.approx(2 * 0.6 / 1.6 / 3)
    assert f1["guess"] == pytest.approx(1 / 3)


def test_the_chance_level_is_the_best_control_for_the_metric():
    class Less:
        HIGHER_IS_BETTER = False

    found = {"constant": 0.5, "guess": 0.25}
    assert controls.best(Metric("f1"), found) == 0.5
    assert controls.best(Less, found) == 0.25
    assert controls.best(Less, {}) is None


def test_samples_of_an_id_count_as_one():
    answers = rows(["a"] * 6 + ["b"] * 2)
    for i in range(6):
        answers[i] = answers[i]._replace(row={"id": "000", "sample": i})
    assert tried("accuracy", answers)["constant"] == pytest.approx(2 / 3)  # ids of b, of three


def test_of_texts_a_sample_is_tried():
    rng = random.Random(0)
    texts = [f"the {rng.choice('bcdefg')} on {i}" for i in range(700)]
    prompts = [[{"role": "user", "content": f"about {i}"}] for i in range(700)]
    answers = rows(texts, "text", messages=prompts)
    found = tried("token_f1", answers)
    assert list(found) == ["constant", "guess", "refusal", "echo"]
    assert found["echo"] == pytest.approx(2 / 5)  # the number, of two words and three
    assert found["constant"] == pytest.approx(1 / 2)  # "the on", of which one word counts
    assert found["refusal"] == 0.0
    assert tried("token_f1", answers) == found


def test_references_of_several_kinds_of_value():
    numbers = tried("mae", rows([1.0, 2.0, 6.0, 7.0], "number"))
    assert numbers["constant"] == pytest.approx(2.5)  # the median
    skewed = tried("rmse", rows([1.0] * 9 + [11.0], "number"))
    assert skewed["constant"] == pytest.approx(3.0)  # of 2, the mean of the rows
    many = tried("rmse", rows([float(i) for i in range(100)], "number"))
    assert many["constant"] == pytest.approx((9999 / 12) ** 0.5)  # the mean's
    assert tried("subset_accuracy", rows([["a", "b"], ["b"], ["b"]], "labels"))[
        "constant"
    ] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("asked", "echo"),
    [
        ({"text": "yes or no"}, 1 / 2),
        ({"texts": ["yes", "no no no"]}, 2 / 5),
        ({"tokens": ["is", "it", "yes"]}, 1 / 2),
        ({"prompt": "yes"}, 1.0),
        ({"messages": [{"role": "user", "content": "yes or"}]}, 2 / 3),
        ({"messages": [{"role": "user", "content": text} for text in ("yes", "what")]}, 2 / 3),
        ({"messages": [{"role": "user", "content": text} for text in ("what", "yes")]}, 1.0),
        ({"note": "yes"}, 0.0),
        ({"messages": "yes"}, 0.0),  # of another tool, which means something else by it
        ({"tokens": 57, "prompt": "yes"}, 1.0),
    ],
)
def test_the_prompt_again_is_the_last_turn_or_all_of_any_body(asked, echo):
    found = tried("token_f1", rows(["yes"] * 5, "text", **{k: [v] * 5 for k, v in asked.items()}))
    assert found["echo"] == pytest.approx(echo)


@pytest.mark.parametrize("spec", ["auroc", "perplexity"])
def test_what_only_a_model_can_write_has_no_control(spec):
    fields = {"label_scores": [{"a": -0.1, "b": -2.0}] * 4}
    fields["reference_logprob"] = [{"sum": -1.0, "tokens": 2, "bytes": 4}] * 4
    assert tried(spec, rows(["a", "b", "a", "b"], **fields)) == {}


def test_a_metric_may_have_none():
    class Costly:
        CHANCE = False

    answers = rows(["a", "b"])
    assert controls.tried(Costly, made_of(answers)) == {}


@pytest.mark.parametrize("spec", ["accuracy", "exact_match", "f1", "token_f1", "recall"])
@pytest.mark.parametrize("seed", range(5))
def test_junk_scores_no_more_than_chance(spec, seed):
    rng = random.Random(seed)
    answers = rows(
        [rng.choice(["yes", "no", "maybe", "yes"]) for _ in range(400)], text=["?"] * 400
    )
    metric = Metric(spec, answers)
    chance = controls.best(metric, tried(spec, answers))
    junk = [[text] * 400 for text in [*REFUSALS, "no", "maybe"]]
    junk += [[a.row["text"] for a in answers]]
    for said in junk:
        made = [a._replace(prediction=text) for a, text in zip(answers, said, strict=True)]
        table = metric.statistics(made)
        assert metric.value(table.sum(axis=0)) <= chance + 1e-12
    shuffled = [rng.sample([a.references[0] for a in answers], 400) for _ in range(20)]
    scores = []
    for said in shuffled:
        made = [a._replace(prediction=text) for a, text in zip(answers, said, strict=True)]
        scores.append(float(metric.value(metric.statistics(made).sum(axis=0))))
    assert sum(scores) / 20 <= chance + 0.02  # they vary about the guess


def test_without_references_there_is_only_what_can_be_said_to_any_question():
    checked = {"checks": [{"check": "max_words", "args": {"n": 3}}]}
    turns = [{"role": "user", "content": "Say hi."}]
    answers = [
        Answer("?", [], "none", {"id": str(i), "messages": turns} | checked) for i in range(4)
    ]
    assert tried("checks", answers) == {"refusal": 0.0, "echo": 1.0}
