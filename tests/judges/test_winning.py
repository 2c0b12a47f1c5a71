"""winning: judgements as summaries, with values and counts worked out by hand."""

from __future__ import annotations

import random

import pytest

from instructune import __version__
from instructune.errors import UserError
from instructune.judges.verdicts import Judgement, Verdicts
from instructune.judges.winning import Plan, agreements, rating_rows, score_means, win_rates

PLAN = Plan(500, 0, "judges:people")
PAIR = ("a.jsonl", "b.jsonl")


def judged(name, choice, rater="ann", **more):
    return Judgement(f"{name}:1", name, 0, rater, PAIR, None, choice)._replace(**more)


def many(**counts):
    choices = [choice for choice, count in counts.items() for _ in range(count)]
    return [judged(f"r{i:03}", choice) for i, choice in enumerate(choices)]


def test_a_tie_is_half_a_win():
    (told,) = win_rates(many(system=5, tie=2, baseline=1), PLAN, None)
    assert told["value"] == 0.75
    assert (told["baseline"], told["delta"], told["by"]) == (0.25, 0.5, None)
    assert (told["n"], told["n_expected"], told["n_errors"]) == (8, 8, 0)
    assert told["details"] == {"choices": {"system": 5, "tie": 2, "baseline": 1}, "by_rule": 0}
    # the sign test of 5 against 1: 2 * (1 + 6) / 2 ** 6
    assert told["p"] == 14 / 64
    low, high = told["ci95"]
    assert low < 0.75 < high
    assert told["delta_ci95"] == [2 * low - 1, 2 * high - 1]
    assert told["signature"] == (
        "win_rate|ties:half|orders:both,disagreement:tie|raters:mean|judges:people|unit:id|"
        f"ci:bca,resamples:500,seed:0|version:{__version__}|p:sign_flip,exact"
    )


def test_nothing_but_wins_is_not_certainty():
    (told,) = win_rates(many(system=10), PLAN, None)
    assert told["value"] == 1.0
    assert told["ci95"] == pytest.approx([1 / (1 + 3.8414588 / 10), 1.0])  # Wilson's
    assert "ci:wilson" in told["signature"]


def test_raters_of_a_pair_and_samples_of_an_id_are_averaged():
    found = [judged("x", "system"), judged("x", "baseline", "bob"), judged("x", "tie", "eve")]
    found += [judged("y", "system"), judged("y", "baseline", sample=1)]
    found += [judged("z", "system")]
    (told,) = win_rates(found, PLAN, None)
    assert told["value"] == pytest.approx((0.5 + 0.5 + 1.0) / 3)
    assert told["n"] == 4


def test_unusable_verdicts_are_expected_and_not_scored():
    found = [*many(system=3), judged("lost", None), judged("e", "baseline", rule="no answer")]
    (told,) = win_rates(found, Plan(500, 0, "", 9), None)
    assert (told["n"], told["n_expected"], told["n_errors"]) == (4, 9, 1)
    (none,) = win_rates([judged("lost", None)], PLAN, {"rater": "m"})
    assert (none["value"], none["ci95"], none["p"], none["n"]) == (None, None, None, 0)


def test_judged_pairs_stand_for_those_still_to_be_judged():
    """Two of five open pairs are judged, three settled: the rules are no 3 parts of 5."""
    found = [judged(name, "tie", rule="equal answers") for name in "abc"]
    found += [judged("d", "system"), judged("e", "baseline"), judged("e", "system", "bob")]
    (told,) = win_rates(found, Plan(500, 0, "", 8), None)
    assert told["value"] == pytest.approx((3 * 0.5 + 5 * 0.75) / 8)
    assert told["n"], told["n_expected"] == (5, 8)
    assert "|judged:stand for all that no rule settles|" in told["signature"]
    assert told["p"] == 1.0  # one win alone, however much it weighs
    (whole,) = win_rates(found, Plan(500, 0, "", 5), None)
    assert whole["value"] == pytest.approx((3 * 0.5 + 2 * 0.75) / 5)
    assert "judged:" not in whole["signature"]


def test_rules_alone_are_no_judgement():
    found = [judged(name, "tie", rule="equal answers") for name in "abc"]
    (told,) = win_rates(found, Plan(500, 0, "", 4), None)
    assert (told["value"], told["ci95"], told["n_expected"]) == (None, None, 4)
    (told,) = win_rates(found, Plan(500, 0, "", 3), None)
    assert told["value"] == 0.5


def test_what_the_order_does_is_told():
    found = [
        judged("a", "system", orders=("system", "system")),
        judged("b", "tie", orders=("system", "baseline")),  # the first, twice
        judged("c", "tie", orders=("tie", "tie")),
        judged("d", "tie", orders=("tie", "system")),  # the second, once
        judged("e", None, orders=("system", None)),
    ]
    _, agree, first = win_rates(found, PLAN, None)
    assert (agree["metric"], agree["value"], agree["n"]) == ("judge_consistency", 0.5, 4)
    # verdicts for the first: 1 of 2, 2 of 2, 0 of 1
    assert (first["metric"], first["value"], first["n"]) == ("judge_first_chosen", 0.6, 3)


def test_no_order_of_rows_changes_a_bit():
    found = [
        judged(f"r{i}", random.Random(i).choice(["system", "tie", "baseline"]), rater)
        for i in range(50)
        for rater in ("ann", "bob", "eve")
    ]
    shuffled = random.Random(0).sample(found, len(found))
    assert win_rates(found, PLAN, None) == win_rates(shuffled, PLAN, None)
    three = [j._replace(systems=pair) for j, pair in zip(found, TRIANGLE * 50, strict=True)]
    mixed = random.Random(1).sample(three, len(three))
    assert rating_rows(three, PLAN) == rating_rows(mixed, PLAN)


TRIANGLE = [("a", "b"), ("b", "c"), ("a", "c")]


def scored(name, tone, safe, role="system", **more):
    return judged(name, None, role=role, scores={"tone": tone, "safe": safe}, **more)


def test_scores_are_means_and_beside_the_baseline_paired():
    found = [scored("x", 0.5, 1.0), scored("y", 0.25, 0.0), scored("z", 1.0, 1.0)]
    every, tone, safe = score_means(found, PLAN, None, ["tone", "safe"])
    assert [row["metric"] for row in (every, tone, safe)] == [
        "judge_score",
        "judge_score_tone",
        "judge_score_safe",
    ]
    assert tone["value"] == pytest.approx(1.75 / 3)
    assert every["value"] == pytest.approx((0.75 + 0.125 + 1.0) / 3)
    assert "baseline" not in tone
    found += [scored("x", 0.25, 1.0, "baseline"), scored("y", 0.25, 1.0, "baseline")]
    found += [judged("z", None, role="baseline")]
    _, tone, safe = score_means(found, PLAN, None, ["tone", "safe"])
    assert (tone["value"], tone["baseline"], tone["delta"]) == (0.375, 0.25, 0.125)
    assert (tone["n"], tone["n_expected"], tone["p"]) == (2, 3, 1.0)
    low, high = tone["delta_ci95"]
    assert low <= 0.125 <= high
    assert safe["delta"] == -0.5


def test_ratings_order_systems_by_what_beat_what():
    found = []
    for i in range(20):
        for pair in TRIANGLE:
            choice = "system" if i % 4 else "baseline"
            found.append(judged(f"r{i}", choice, systems=pair))
    found[0] = found[0]._replace(choice="baseline", rule="no answer")
    rows = rating_rows(found, PLAN)
    assert [row["by"] for row in rows] == [{"system": name} for name in "abc"]
    assert [row["n"] for row in rows] == [40, 40, 40]
    assert [row["n_errors"] for row in rows] == [1, 0, 0]
    assert sum(row["value"] for row in rows) == pytest.approx(3000)
    assert all(row["ci95"][0] < row["value"] < row["ci95"][1] for row in rows)
    with pytest.raises(UserError, match="no common rating: a, b; c, d"):
        rating_rows(
            [judged("x", "tie", systems=(*"ab",)), judged("x", "tie", systems=(*"cd",))], PLAN
        )


def test_agreement_is_over_what_raters_judged_themselves():
    found = Verdicts([judged("s", "tie", rater, rule="equal answers") for rater in ("ann", "m")])
    assert agreements(found) is None
    said = [("system", "system"), ("baseline", "baseline"), ("tie", "system"), ("tie", "tie")]
    for i, (one, other) in enumerate(said):
        found.judgements += [judged(f"r{i}", one), judged(f"r{i}", other, "m")]
    found.judgements.append(judged("alone", "tie"))
    told = agreements(found)
    # 3 of 4 alike; by chance 1/4 * 2/4 + 1/4 * 1/4 + 2/4 * 1/4 = 5/16
    assert told["cohen_kappa"] == {"ann, m": {"kappa": pytest.approx(7 / 11), "n": 4}}
