"""summaries: samples, slices, intervals, comparisons, and numbers without an order."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import scipy.stats

from instructune import __version__
from instructune.errors import Exit, UserError
from instructune.evaluating import summaries
from instructune.evaluating.predictions import Answer
from instructune.evaluating.summaries import Plan
from instructune.metrics import metrics
from instructune.statistics import intervals


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
    up, down = 7 / 10, 1 / 10
    half = intervals.Z95 * math.sqrt((up + down - (up - down) ** 2) / 10)
    error = math.sqrt(6 * 2 / 8 / 7 / 8)
    assert found == {
        "metric": "exact_match",
        "value": 1.0,
        "ci95": list(intervals.wilson_interval(8, 8)),
        "n": 8,
        "n_expected": 8,
        "n_errors": 0,
        "by": None,
        "signature": "exact_match|case:kept|space:stripped|references:any|errors:wrong|unit:id|"
        "ci:wilson,resamples:500,seed:0|delta_ci:bonett_price|p:mcnemar,exact|adjust:holm,tests:1|"
        f"version:{__version__}",
        "chance": 1.0,
        "baseline": 0.25,
        "delta": 0.75,
        "delta_ci95": [pytest.approx(up - down - half), 1.0],
        "p": 2 / 2**6,
        "p_adjusted": 2 / 2**6,
        "details": {
            "paired": {
                "units": 8,
                "standard_error": pytest.approx(error),
                "detectable": pytest.approx(2.80158522 * error),
                "needed_n": math.ceil(8 * (2.80158522 * error / 0.75) ** 2),
                "effect": "cohens_h",
                "effect_size": pytest.approx(2 * math.asin(1) - 2 * math.asin(0.5)),
                "odds_ratio": None,
                "gained": 6,
                "lost": 0,
            },
            "controls": {"constant": 1.0, "guess": 1.0, "refusal": 0.0, "echo": 0.0},
        },
    }
    assert list(found)[-3:] == ["p", "p_adjusted", "details"]


def test_scores_that_are_no_zeros_and_ones_are_resampled():
    rng = random.Random(1)
    answers = [answer(str(i), rng.choice(["a b", "a c", "d"]), f"a b {i}") for i in range(60)]
    baseline = [a._replace(prediction="a c") for a in answers]
    (found,) = summaries.summarise(plan("token_f1"), answers, baseline)
    assert "|ci:bca,resamples:500,seed:0|delta_ci:bca|p:sign_flip,exact|" in found["signature"]
    assert found["ci95"][0] < found["value"] < found["ci95"][1]
    assert found["delta_ci95"][0] < found["delta"] < found["delta_ci95"][1]
    assert found["details"]["paired"]["effect"] == "cohens_dz"


def test_an_intervals_draws_do_not_depend_on_what_else_is_asked():
    answers = [answer(str(i), "xyz"[i % 3], "xy"[i % 2], "label") for i in range(50)]
    alone = summaries.summarise(plan("f1"), answers, None)
    both = summaries.summarise(plan("accuracy", "recall", "f1"), answers, None)
    assert both[2] == alone[0]


def clustered(scores, size=4):
    return [
        answer(f"{i:03}", "x" if score else "y", "x", doc=f"d{i // size}")
        for i, score in enumerate(scores)
    ]


def test_clusters_are_the_units_and_leave_the_value_alone():
    scores = [i // 4 % 3 > 0 for i in range(120)]  # the rows of a document stand or fall together
    rows = clustered(scores)
    (by_id,) = summaries.summarise(plan("exact_match"), rows, None)
    (by_doc,) = summaries.summarise(plan("exact_match", cluster="doc"), rows, None)
    assert by_doc["value"] == by_id["value"] == 80 / 120
    assert "n_clusters" not in by_id
    assert (by_doc["n"], by_doc["n_clusters"]) == (120, 30)
    assert "|unit:doc|ci:student," in by_doc["signature"]
    width = [high - low for low, high in (by_id["ci95"], by_doc["ci95"])]
    assert width[1] > 1.8 * width[0]
    error = math.sqrt(30 * 2 / 9 / 29) / math.sqrt(30)
    half = 2.045229642132703 * error  # Student's quantile of 29 degrees of freedom
    assert by_doc["ci95"] == pytest.approx([2 / 3 - half, 2 / 3 + half], abs=1e-9)


def test_clusters_are_swapped_as_a_whole():
    rows = clustered([True] * 24)
    worse = [a._replace(prediction="y" if i < 12 else "x") for i, a in enumerate(rows)]
    (by_id,) = summaries.summarise(plan("exact_match"), rows, worse)
    (by_doc,) = summaries.summarise(plan("exact_match", cluster="doc"), rows, worse)
    assert by_id["p"] == 2 / 2**12
    assert by_doc["p"] == 2 / 2**3
    assert "|p:sign_flip,exact|" in by_doc["signature"]
    assert by_doc["details"]["paired"]["units"] == 6


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [answer("a", "x", "x", doc=1), answer("b", "x", "x")],
            "id 'b': has no field 'doc'\n  hint: --cluster names a field that every row has",
        ),
        (
            [answer("a", "x", "x", doc=1), answer("a", "x", "x", doc=2, sample=1)],
            "id 'a': samples of one id have different values of 'doc'\n"
            "  hint: a cluster is made of whole ids",
        ),
    ],
)
def test_rows_that_make_no_clusters(rows, message):
    with pytest.raises(UserError) as caught:
        summaries.summarise(plan("exact_match", cluster="doc"), rows, None)
    assert (caught.value.code, str(caught.value)) == (Exit.BAD_DATA, message)


def test_p_values_are_adjusted_for_every_test_of_the_run():
    answers = [answer(str(i), "x", "x", lang="ab"[i % 2]) for i in range(16)]
    worse = [a._replace(prediction="y" if i < 8 else "x") for i, a in enumerate(answers)]
    names = ("exact_match", "accuracy")
    found = summaries.summarise(plan(*names, by=("lang",)), answers, worse)
    assert [s["p"] for s in found] == [2 / 2**8] * 2 + [2 / 2**4] * 4
    assert [s["p_adjusted"] for s in found] == [12 / 2**8] * 2 + [8 / 2**4] * 4
    assert all("|adjust:holm,tests:6|" in s["signature"] for s in found)
    found = summaries.summarise(plan(*names, by=("lang",), adjust="bh"), answers, worse)
    assert [s["p_adjusted"] for s in found] == [6 / 2 * 2 / 2**8] * 2 + [2 / 2**4] * 4
    found = summaries.summarise(plan(*names, adjust="none"), answers, worse)
    assert all("p_adjusted" not in s and "adjust" not in s["signature"] for s in found)


def test_fields_of_one_by_are_crossed():
    answers = [
        answer("a", "x", "x", lang="en", level=1),
        answer("b", "x", "y", lang="zh", level=1),
        answer("c", "x", "x", lang="en", level=2),
        answer("d", "x", "y", lang="en", level=1),
    ]
    found = summaries.summarise(plan("exact_match", by=("level, lang", "lang")), answers, None)
    assert [(s["by"], s["n"], s["value"]) for s in found] == [
        (None, 4, 0.5),
        ({"level": 1, "lang": "en"}, 2, 0.5),
        ({"level": 1, "lang": "zh"}, 1, 0.0),
        ({"level": 2, "lang": "en"}, 1, 1.0),
        ({"lang": "en"}, 3, 2 / 3),
        ({"lang": "zh"}, 1, 0.0),
    ]


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
        "signature": "exact_match|case:kept|space:stripped|references:any|errors:wrong|unit:id|"
        f"version:{__version__}",
        "chance": None,
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


WORDS = ["the red fox", "a red dog", "one two three four", "fox", "dog and fox", "", "b c d e"]
LABELS = ["x", "y", "z"]


def random_pairs(kind: str) -> list[tuple[Answer, Answer]]:
    """Answers of two systems to rows of a kind of references, with all that metrics may need."""
    rng = random.Random(7)
    draw = {
        "text": lambda: rng.choice(WORDS),
        "label": lambda: rng.choice(LABELS),
        "labels": lambda: rng.sample(LABELS, rng.randrange(1, 4)),
        "number": lambda: rng.gauss(0, 1),
        "figure": lambda: f"It is {rng.randrange(4)}",
        "tags": lambda: rng.choices(["B-A", "I-A", "O"], k=5),
        "relations": lambda: f"(a, {rng.choice('xy')}, b)",
    }[kind]
    pairs = []
    for i in range(25):
        reference = draw()
        for sample in range(1 + i % 3):
            row = {"sample": sample, "lang": rng.choice(["en", "zh"]), "doc": i % 7}
            row |= {"tokens": list("abcde"), "choices": LABELS}
            row |= {"tags": reference} if kind == "tags" else {}
            row["checks"] = [{"check": "max_words", "args": {"n": 2}}]
            mine = None if kind != "number" and rng.random() < 0.05 else draw()
            sides = []
            for prediction in (mine, draw()):
                odds = [rng.random() for _ in LABELS]
                scores = {x: math.log(o / sum(odds)) for x, o in zip(LABELS, odds, strict=True)}
                logprob = {"sum": -rng.random() * 9, "tokens": 4, "bytes": 20}
                more = {"label_scores": scores, "reference_logprob": logprob}
                said = "text" if kind == "figure" else kind
                sides.append(answer(f"id{i}", prediction, reference, said, **row, **more))
            pairs.append(tuple(sides))
    return pairs


def related(pairs: list[tuple[Answer, Answer]]) -> list[tuple[Answer, Answer]]:
    """One sample a row; every other row is the swapped copy, and the partner, of the one before."""
    found = []
    for system, other in pairs:
        number, row = int(system.row["id"][2:]), dict(system.row)
        if row["sample"] or number == 24:  # which has no partner
            continue
        first = number - number % 2
        row |= {"id": f"id{first}", "group": f"g{first}", "variant": str(1 + number % 2)}
        row |= {"lang": "en" if number % 4 < 2 else "zh", "doc": first % 7}
        if number % 2:
            row |= {"id": f"id{first}~swap1", "augmented": "swap"}
        own = {"reference_logprob": other.row["reference_logprob"]}
        found.append((system._replace(row=row), other._replace(row=row | own)))
    return found


OF_RELATED = {"worst_case", "perturbation_drop", "flip_rate", "pair_preference"}
SPECS = {
    "odds_gap": "odds_gap:by=lang,positive=x",
    "parity_gap": "parity_gap:by=lang,positive=x",
    "score_gap": "score_gap:by=lang",
    "toxic_rate": "toxic_rate:words=words.txt",
}
PURE = [name for name in metrics.names() if not metrics.facts(name).get("RUNS_CODE")]


@pytest.mark.parametrize("name", PURE)
@pytest.mark.parametrize("cluster", [None, "doc"])
def test_row_order_changes_no_bit(name, cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("fox\n")
    kinds = metrics.facts(name)["REFERENCES"]
    kind = "label" if "label" in kinds else next(iter(kinds), "text")
    kind = "figure" if name == "numeric_answer" else kind
    results = []
    for seed in range(3):
        pairs = random_pairs(kind)
        pairs = related(pairs) if name in OF_RELATED else pairs
        shuffled = random.Random(seed).sample(pairs, len(pairs)) if seed else pairs
        answers, baseline = map(list, zip(*shuffled, strict=True))
        asked = plan(SPECS.get(name, name), by=("lang",), cluster=cluster)
        results.append(summaries.summarise(asked, answers, baseline))
    assert len(results[0]) == 3
    assert results[0][0]["value"] is not None
    assert results[0] == results[1] == results[2]


class Median:
    """A toy metric that no sums carry: the weighted median of numbers, and its two helpers."""

    HIGHER_IS_BETTER = True
    RANGE = (0.0, 1.0)
    SIGNATURE = "toy"
    CHANCE = False

    def __init__(self, *_):
        pass

    @staticmethod
    def evaluator(answers):
        numbers = np.array([a.prediction for a in answers])
        order = np.argsort(numbers, kind="stable")

        def value(weights):
            upto = np.cumsum(weights[:, order], axis=1)
            middle = (upto >= upto[:, -1:] / 2).argmax(axis=1)
            return numbers[order][middle]

        return value


def test_a_metric_that_no_sums_carry_has_interval_and_test(monkeypatch):
    monkeypatch.setattr(summaries, "Metric", Median)
    scores = np.random.default_rng(0).random(101)
    answers = [answer(f"{i:03}", float(x), 0.0, "number") for i, x in enumerate(scores)]
    worse = [a._replace(prediction=a.prediction * 0.5) for a in answers]
    (found,) = summaries.summarise(plan("median"), answers, worse)
    assert found["value"] == np.median(scores)
    assert found["baseline"] == np.median(scores) / 2
    assert found["p"] == 1 / 10_001
    assert "|ci:bca,resamples:500,seed:0|delta_ci:bca|p:swap,10000|" in found["signature"]
    low, high = found["ci95"]
    assert low < found["value"] < high
    expected = scipy.stats.bootstrap((scores,), np.median, rng=1).confidence_interval
    assert (low, high) == pytest.approx(tuple(expected), abs=0.05)
    (same,) = summaries.summarise(plan("median"), answers, answers)
    assert (same["p"], same["delta"]) == (1.0, 0.0)


def test_samples_weigh_as_much_as_their_id_in_an_evaluator(monkeypatch):
    monkeypatch.setattr(summaries, "Metric", Median)
    rows = [("a", 0.9), ("a", 0.9), ("a", 0.9), ("b", 0.1), ("c", 0.2)]
    answers = [
        answer(name, x, 0.0, "number", sample=i, doc=name == "a")
        for i, (name, x) in enumerate(rows)
    ]
    (found,) = summaries.summarise(plan("median"), answers, None)
    assert found["value"] == 0.2
    (found,) = summaries.summarise(plan("median", cluster="doc"), answers, None)
    assert (found["value"], found["n_clusters"]) == (0.2, 2)


def test_an_undefined_value_is_null_and_no_score(monkeypatch):
    class Undefined(Median):
        evaluator = staticmethod(lambda answers: lambda weights: np.full(len(weights), np.nan))

    monkeypatch.setattr(summaries, "Metric", Undefined)
    answers = [answer(str(i), 0.5, 0.0, "number") for i in range(5)]
    (found,) = summaries.summarise(plan("median"), answers, answers)
    assert {k: found[k] for k in ("value", "ci95", "baseline", "delta", "delta_ci95", "p")} == (
        dict.fromkeys(("value", "ci95", "baseline", "delta", "delta_ci95", "p"))
    )
    assert "|ci:none," in found["signature"]
    assert "p_adjusted" not in found


def test_a_metric_without_a_value_on_a_slice_says_why():
    scores = [{"y": -0.1, "n": -2.0}, {"y": -3.0, "n": -0.1}, {"y": -1.0, "n": -0.5}]
    rows = [
        answer(str(i), "y", "ynn"[i], "label", lang="aab"[i], label_scores=scores[i])
        for i in range(3)
    ]
    found = summaries.summarise(plan("auroc", "accuracy", by=("lang",)), rows, None)
    assert [(s["metric"], s["by"], s["value"]) for s in found[2:]] == [
        ("auroc", {"lang": "a"}, 1.0),
        ("accuracy", {"lang": "a"}, 0.5),
        ("auroc", {"lang": "b"}, None),
        ("accuracy", {"lang": "b"}, 0.0),
    ]
    assert "two labels" in found[4]["details"]["undefined"]
    with pytest.raises(UserError, match="a curve needs two labels"):
        summaries.summarise(plan("auroc", by=("lang",)), rows[2:], None)
