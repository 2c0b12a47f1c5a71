"""reports/headlines: each rule, and which of two that hold comes first."""

from __future__ import annotations

import pytest

from instructune.evaluating import conditions, gates
from instructune.metrics import metrics
from instructune.reports.headlines import Headline, headline


def summary(metric="exact_match", value=0.9125, ci95=(0.85, 0.975), n=80, **more):
    return {
        "metric": metric,
        "value": value,
        "ci95": list(ci95) if ci95 else None,
        "n": n,
        "n_expected": n,
        "n_errors": 0,
        "by": None,
        "chance": None,
    } | more


def paired(value, baseline, bounds, p, *, n=80, detectable=0.06, **more):
    details = {"paired": {"units": n, "detectable": detectable, "gained": 3, "lost": 1}}
    more = {"details": details, "baseline": baseline, "delta": value - baseline} | more
    return summary(value=value, n=n, delta_ci95=bounds, p=p, **more)


def verdict(text, *summaries, name=None, reason=None):
    gate = conditions.parse(text, metrics.names(), "--fail-if")
    found = gates.judge(gate, summaries)
    return found._replace(gate=gate.__class__(gate.text, gate.comparisons, name, reason))


def told(*summaries, verdicts=(), undecided="pass"):
    return str(headline(summaries, verdicts, undecided))


BETTER = paired(0.9125, 0.0, [0.85, 0.97], 1e-20)
SAME = paired(0.9, 0.8875, [-0.04, 0.065], 0.63)


def test_better():
    found = headline([BETTER], [])
    assert found == Headline(
        "Better",
        "good",
        "exact match rose from 0.00 to 0.91 (95 % interval of the difference 0.85 to 0.97, "
        "p < 0.001, 80 rows).",
        [],
    )


def test_worse():
    found = headline([paired(0.5, 0.75, [-0.4, -0.1], 0.0123, p_adjusted=0.0246)], [])
    assert (found.word, found.tone) == ("Worse", "bad")
    assert found.sentence == (
        "exact match fell from 0.75 to 0.50 (95 % interval of the difference -0.40 to -0.10, "
        "adjusted p = 0.025, 80 rows)."
    )


def test_where_less_is_better():
    fell = paired(0.1, 0.3, [-0.3, -0.1], 0.001, metric="brier")
    assert told(fell).startswith("Better: Brier fell from 0.30 to 0.10")
    rose = paired(9.0, 8.0, [0.5, 1.5], 0.001, metric="perplexity")
    assert told(rose).startswith("Worse: perplexity rose from 8 to 9")


def test_no_difference_and_how_many_rows_would_show_one():
    assert told(SAME) == (
        "No difference that 80 rows can show: exact match is 0.90, and 0.89 before (95 % interval "
        "of the difference -0.04 to 0.07, p = 0.630). "
        "To detect 2 points you need about 720 rows."
    )
    many = paired(0.9, 0.8875, [-0.004, 0.0065], 0.63, n=9000, detectable=0.007)
    assert told(many).endswith("One of 2 points would most likely have shown.")
    blind = paired(0.9, 0.8875, [-0.04, 0.065], 0.63, detectable=None)
    assert told(blind).endswith("p = 0.630).")
    endless = paired(8.0, 8.5, [-2, 1], 0.4, metric="perplexity", detectable=1.2345)
    assert told(endless).endswith("A true difference of 1.234 would be found 8 times in 10.")
    points = paired(30.0, 31.0, [-2.0, 1.0], 0.4, metric="bleu", detectable=4.0)
    assert told(points).endswith("To detect 2 points you need about 320 rows.")


@pytest.mark.parametrize(
    ("bounds", "p", "more"),
    [
        ([0.01, 0.1], 0.051, {}),  # the interval says yes, the test no
        ([0.01, 0.1], 0.01, {"p_adjusted": 0.06}),  # too many tests
        ([-0.01, 0.1], 0.04, {}),  # the test says yes, the interval no
        ([0.0, 0.1], 0.04, {}),
    ],
)
def test_better_needs_both_the_interval_and_the_test(bounds, p, more):
    assert told(paired(0.9, 0.85, bounds, p, **more)).startswith("No difference that 80 rows")


def test_the_same_row_by_row():
    same = {"units": 80, "detectable": None, "gained": 0, "lost": 0}
    found = paired(0.5, 0.5, [-0.01, 0.01], 1.0, details={"paired": same})
    assert told(found) == "Unchanged: exact match is 0.50 before and after, the same row by row."
    assert told(paired(0.5, 0.5, [-0.1, 0.1], 1.0)).startswith("No difference")


def test_not_enough_data():
    five = paired(1.0, 0.0, [0.2, 1.0], 0.0625, n=5)
    assert told(five) == (
        "Not enough data: exact match is 1.00, but 5 rows cannot show a difference."
    )
    six = paired(1.0, 0.0, [0.3, 1.0], 0.03125, n=6)
    assert told(six).startswith("Better: ")
    assert told(summary(ci95=None)) == (
        "Not enough data: exact match is 0.91, but it has no interval."
    )
    clusters = paired(1.0, 0.0, [0.2, 1.0], 0.01, n_clusters=3)
    assert told(clusters).endswith("but 3 clusters cannot show a difference.")
    undefined = paired(0.5, 0.25, None, None) | {"delta": None}
    assert told(undefined) == "Not enough data: the difference in exact match has no interval."


def test_no_score_at_all():
    found = headline([summary(value=None, ci95=None, n_errors=80)], [])
    assert (found.word, found.tone) == ("No score", "bad")
    assert found.sentence == "exact match is undefined on these 80 rows."


@pytest.mark.parametrize(
    ("chance", "word", "tone"),
    [
        (0.18, "Better than chance", "good"),
        (0.9, "No better than chance", "bad"),
        (0.975, "No better than chance", "bad"),
        (0.99, "Worse than chance", "bad"),
    ],
)
def test_without_a_baseline_chance_is_the_measure(chance, word, tone):
    found = headline([summary(chance=chance)], [])
    assert (found.word, found.tone) == (word, tone)
    assert found.sentence == (
        "exact match is 0.91 (95 % interval 0.85 to 0.97, 80 rows); "
        f"answers that ignore the question reach {chance:.2f}."
    )


def test_chance_where_less_is_better():
    found = summary("mae", 1.0, (0.5, 1.5), chance=3.0)
    assert told(found).startswith("Better than chance: MAE is 1 ")
    assert told(found | {"chance": 0.1}).startswith("Worse than chance")


def test_nothing_to_compare_with():
    assert told(summary()) == ("Scored: exact match is 0.91 (95 % interval 0.85 to 0.97, 80 rows).")


def test_a_failed_gate_comes_first():
    failed = verdict("exact_match < 0.95", BETTER)
    found = headline([BETTER], [failed])
    assert (found.word, found.tone) == ("Gate failed", "bad")
    assert found.sentence == "exact_match < 0.95, found 0.9125."
    assert found.more[0].startswith("Better: exact match rose")
    named = verdict("exact_match < 0.95", BETTER, name="release", reason="agreed in May")
    passed = verdict("exact_match < 0.5", BETTER)
    found = headline([BETTER], [passed, named])
    assert found.sentence == (
        "1 of 2 gates: release (exact_match < 0.95), found 0.9125, agreed in May."
    )
    assert found.more[1:] == ["1 of 2 gates passed."]
    assert told(summary(value=None, n_errors=80), verdicts=[failed]).startswith("Gate failed")


def test_a_gate_that_cannot_tell():
    unsure = verdict("exact_match < 0.95 surely", BETTER)
    found = headline([BETTER], [unsure])
    assert found.word == "Better"
    said = (
        "exact_match < 0.95 surely cannot be decided with these data, found 0.9125 in 0.85 .. 0.975"
    )
    assert found.more == [f"Not enough data for a gate: {said}."]
    assert str(headline([BETTER], [unsure], "fail")) == f"Gate failed: {said}."


def test_gates_that_passed_are_counted():
    assert headline([BETTER], [verdict("exact_match < 0.5", BETTER)]).more == [
        "1 of 1 gate passed."
    ]


def test_a_slice_or_metric_that_went_the_other_way_is_told():
    lost = paired(0.25, 0.75, [-0.7, -0.3], 0.0001, n=20, by={"task": "qa"})
    other = paired(0.2, 0.3, [-0.15, -0.05], 0.0001, metric="token_f1")
    same_way = paired(1.0, 0.5, [0.4, 0.6], 0.0001, by={"task": "nli"})
    not_ours = paired(0.2, 0.3, [-0.15, -0.05], 0.001, metric="token_f1", by={"task": "qa"})
    assert headline([BETTER, lost, other, same_way, not_ours], []).more == [
        "Worse where task=qa: exact match fell from 0.75 to 0.25 (95 % interval of the difference "
        "-0.70 to -0.30, p < 0.001, 20 rows).",
        "Worse: token F1 fell from 0.30 to 0.20 (95 % interval of the difference -0.15 to -0.05, "
        "p < 0.001, 80 rows).",
    ]
    both = [line.partition(":")[0] for line in headline([SAME, lost, same_way], []).more]
    assert both == ["Worse where task=qa", "Better where task=nli"]
    many = headline([BETTER, *[lost] * 7], []).more
    assert len(many) == 6
    assert many[-1] == "… and 2 more of the kind."


def test_what_is_missing_is_told():
    found = headline([summary(n_expected=92, n_errors=3)], [])
    assert found.more == [
        "12 of 92 predictions are missing.",
        "3 of 80 answers are errors and count as wrong.",
    ]
