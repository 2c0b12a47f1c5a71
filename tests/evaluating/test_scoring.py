"""scoring: the choice of metrics, and the score of each row."""

from __future__ import annotations

import pytest

from instructune.errors import Exit, UserError
from instructune.evaluating import scoring
from instructune.evaluating.predictions import Answer


def answer(name, prediction, reference, kind="text", **row):
    return Answer(prediction, [reference], kind, {"id": name} | row)


TEXTS = [answer(str(i), "x", f"text {i}") for i in range(30)]
CLOSED = [answer(str(i), "x", "abc"[i % 3]) for i in range(6)]
CHECKED = {"checks": [{"check": "quoted"}]}
BARE = Answer("x", [], "none", {"id": "n"} | CHECKED)
CHECKS_TOO = ["checks", "checks_each", "exact_match", "token_f1"]
LABELS = [answer(str(i), "x", f"label {i}", "label") for i in range(3)]


@pytest.mark.parametrize(
    ("answers", "asked", "gated", "names", "reason"),
    [
        (TEXTS, [], [], ["exact_match", "token_f1"], "text references"),
        (
            CLOSED,
            [],
            [],
            ["accuracy", "exact_match", "f1", "token_f1"],
            "text references, 3 different ones",
        ),
        (CLOSED[:5], [], [], ["exact_match", "token_f1"], "text references"),
        (
            [a._replace(row=a.row | {"task": "classification"}) for a in CLOSED[:3]],
            [],
            [],
            ["accuracy", "exact_match", "f1", "token_f1"],
            "text references, task classification",
        ),
        (LABELS, [], [], ["accuracy", "f1"], "label references"),
        (LABELS, [], ["recall", "f1"], ["accuracy", "f1", "recall"], "label references"),
        (
            [a._replace(row=a.row | CHECKED) for a in TEXTS],
            [],
            [],
            CHECKS_TOO,
            "text references, and checks",
        ),
        ([BARE, BARE], [], [], ["checks", "checks_each"], "checks"),
        ([BARE], ["checks"], [], ["checks"], "--metric"),
        (LABELS, ["recall", "recall"], ["f1"], ["recall", "f1"], "--metric"),
        (
            [*TEXTS, *LABELS],
            [],
            [],
            ["accuracy", "exact_match", "f1", "token_f1"],
            "label and text references",
        ),
    ],
)
def test_metrics_are_chosen_by_references(answers, asked, gated, names, reason):
    assert scoring.choose(asked, gated, answers) == (names, reason)


def test_metrics_that_need_no_references():
    assert scoring.need_references([])
    assert not scoring.need_references(["checks:loose=true", "checks_each"])
    assert scoring.need_references(["checks", "f1"])


def test_an_error_has_the_worst_score(monkeypatch):
    answers = [answer("a", None, "x"), answer("b", "x", "x")]
    assert [row["exact_match"] for row in scoring.row_scores(["exact_match"], answers)] == [0, 1]
    monkeypatch.setattr(scoring.metrics["exact_match"], "WORST", 1.0, raising=False)
    assert [row["exact_match"] for row in scoring.row_scores(["exact_match"], answers)] == [1, 1]


@pytest.mark.parametrize("asked", [[], ["f1"]])
def test_references_that_no_metric_serves_are_refused(asked):
    answers = [answer("a", 1.5, 2.0, "vector")]
    with pytest.raises(UserError, match="references, id 'a' has vector") as caught:
        scoring.choose(asked, [], answers)
    assert caught.value.code == Exit.BAD_DATA


def test_a_metric_that_does_not_serve_names_those_that_do(monkeypatch):
    facts = scoring.metrics.facts

    def only_text(name):
        return facts(name) | {"REFERENCES": ("label",) if name in ("accuracy", "f1") else ("text",)}

    monkeypatch.setattr(scoring.metrics, "facts", only_text)
    with pytest.raises(UserError) as caught:
        scoring.choose(["token_f1"], [], LABELS)
    assert str(caught.value) == (
        "token_f1 needs text references, id '0' has label\n  hint: for these there are accuracy, f1"
    )


def test_scores_a_row_leave_out_metrics_that_have_none():
    answers = [answer("a", "x y", "x"), answer("b", None, "x")]
    found = list(scoring.row_scores(["f1", "exact_match", "token_f1"], answers))
    assert found == [
        {"exact_match": 0.0, "token_f1": 2 / 3},
        {"exact_match": 0.0, "token_f1": 0.0},
    ]
    with pytest.raises(UserError, match="f1 has no score a row"):
        list(scoring.row_scores(["f1"], answers))
