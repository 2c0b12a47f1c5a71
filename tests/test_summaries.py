"""summaries: samples, slices, intervals, comparisons, and numbers without an order."""

from __future__ import annotations

import random

import pytest

from instructune import __version__, summaries
from instructune.errors import Exit, UserError
from instructune.metrics import metrics
from instructune.predictions import Answer
from instructune.summaries import Plan


def answer(name, prediction, reference, kind="text", **row):
    return Answer(prediction, [reference], kind, {"id": name} | row)


def plan(*names, by=(), missing=None, **more):
    return Plan(names, by, 500, 0, missing or {}, **more)


def test_samples_of_an_id_are_averaged_before_ids():
    answers = [
        answer("a", "x", "x", sample=0),
        answer("a", "y", "x", sample=1),
        answer("a", None, "x", sample=2),
        answer("a", "y", "x", sample=3),
        answer("b", "x", "x", sample=0),
    ]
    (found,) = summaries.summarise(plan("exact_match", missing={"b": 3}), answers, None)
    assert found["value"] == (0.25 + 1) / 2
    assert (found["n"], found["n_expected"], found["n_errors"]) == (5, 8, 1)
    assert found["by"] is None
    assert "delta" not in found


def test_equal_samples_are_no_further_evidence():
    one = [answer(str(i), "x" if i % 3 else "y", "x") for i in range(30)]
    four = [a._replace(row=a.row | {"sample": s}) for a in one for s in range(4)]
    single, repeated = (
        summaries.summarise(plan("exact_match"), rows, None)[0] for rows in (one, four)
    )
    assert repeated["value"] == single["value"]
    assert repeated["ci95"] == single["ci95"]


def test_the_interval_of_a_perfect_score_is_not_a_point():
    answers = [answer(str(i), "x", "x") for i in range(10)]
    (found,) = summaries.summarise(plan("exact_match"), answers, None)
    assert found["value"] == 1.0
    assert found["ci95"] == [pytest.approx(0.7224672001371107, abs=1e-9), 1.0]
    assert "|ci:wilson," in found["signature"]


def test_a_summary_of_two_systems():
    answers = [answer(str(i), "x", "x") for i in range(8)]
    baseline = [a._replace(prediction="y" if i < 6 else "x") for i, a in enumerate(answers)]
    (found,) = summaries.summarise(plan("exact_match"), answers, baseline)
    low, high = found.pop("delta_ci95")
    assert 0.25 <= low < 0.75 < high <= 1
    found.pop("ci95")
    assert found == {
        "metric": "exact_match",
        "value": 1.0,
        "n": 8,
        "n_expected": 8,
        "n_errors": 0,
        "by": None,
        "signature": "exact_match|case:kept|space:stripped|references:any|errors:wrong|unit:id|"
        "ci:wilson,resamples:500,seed:0|delta_ci:percentile|p:sign_flip,exact|"
        f"version:{__version__}",
        "baseline": 0.25,
        "delta": 0.75,
        "p": 2 / 2**6,
    }


def test_slices_follow_the_whole_in_order_of_their_values():
    answers = [
        answer("a", "x", "x", lang="en", level=1),
        answer("b", "x", "y", lang="zh", level=1),
        answer("c", "x", "x", level=2),
    ]
    found = summaries.summarise(plan("exact_match", by=("lang", "level", "lang")), answers, None)
    assert [(s["by"], s["n"], s["value"]) for s in found] == [
        (None, 3, 2 / 3),
        ({"lang": "en"}, 1, 1.0),
        ({"lang": "zh"}, 1, 0.0),
        ({"lang": None}, 1, 1.0),
        ({"level": 1}, 2, 0.5),
        ({"level": 2}, 1, 1.0),
    ]


def test_a_slice_of_errors_has_no_score():
    answers = [answer("a", None, "x", lang="en"), answer("b", "x", "x", lang="zh")]
    found = summaries.summarise(plan("exact_match", by=("lang",)), answers, answers)
    assert [s["value"] for s in found] == [0.5, None, 1.0]
    assert found[1] == {
        "metric": "exact_match",
        "value": None,
        "ci95": None,
        "n": 1,
        "n_expected": 1,
        "n_errors": 1,
        "by": {"lang": "en"},
        "signature": "exact_match|case:kept|space:stripped|references:any",
        "baseline": None,
        "delta": None,
        "delta_ci95": None,
        "p": None,
    }


def test_a_field_that_no_row_has_is_a_usage_error():
    with pytest.raises(UserError) as caught:
        summaries.summarise(
            plan("exact_match", by=("lnag",)), [answer("a", "x", "x", lang="e")], None
        )
    assert caught.value.code == Exit.USAGE
    assert str(caught.value) == ("--by: no row has the field 'lnag'\n  hint: did you mean 'lang'?")


def test_row_order_changes_no_bit():
    rng = random.Random(7)
    words = ["the red fox", "a red dog", "one two three four", "fox", "dog and fox", "", "b c d e"]
    pairs = []
    for i in range(60):
        for sample in range(1 + i % 3):
            reference, mine, theirs = rng.choices(words, k=3)
            row = {"sample": sample, "lang": rng.choice(["en", "zh"])}
            mine = None if rng.random() < 0.05 else mine
            first = answer(f"id{i}", mine, reference, **row)
            pairs.append((first, first._replace(prediction=theirs)))
    names = metrics.names()
    results = []
    for seed in range(3):
        shuffled = random.Random(seed).sample(pairs, len(pairs)) if seed else pairs
        answers, baseline = map(list, zip(*shuffled, strict=True))
        results.append(summaries.summarise(plan(*names, by=("lang",)), answers, baseline))
    assert len(results[0]) == 3 * len(names)
    assert results[0] == results[1] == results[2]
