"""pass_at: the published estimator, samples by id, and refusals in place of wrong numbers."""

from __future__ import annotations

import itertools
import json
import random

import numpy as np
import pytest

from instructune.codebox import Verdict
from instructune.errors import Exit, UserError
from instructune.evaluating import codetests
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.evaluating.summaries import Plan, summarise
from instructune.metrics import pass_at
from instructune.metrics.pass_at import estimate
from tests.scored import measured

RIGHT, WRONG = "def f(x): return x", "def f(x): return 0"


@pytest.mark.parametrize(
    ("n", "c", "k", "expected"),
    [
        (10, 3, 1, 0.3),
        (10, 3, 5, 0.9166666666666666),
        (10, 3, 10, 1.0),
        (200, 13, 1, 0.065),
        (200, 13, 10, 0.4975511147306061),
        (200, 13, 100, 0.9999194971988055),
        (5, 4, 2, 1.0),
        (5, 0, 5, 0.0),
    ],
)
def test_the_published_vectors(n, c, k, expected):
    assert estimate(n, c, k) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", range(1, 7))
def test_it_is_the_share_of_draws_with_a_pass(n):
    for c, k in itertools.product(range(n + 1), range(1, n + 1)):
        draws = list(itertools.combinations([True] * c + [False] * (n - c), k))
        assert estimate(n, c, k) == pytest.approx(np.mean([any(draw) for draw in draws]))


@pytest.fixture
def allowed():
    with codetests.allowing(True):
        yield


def samples(**texts) -> list[Answer]:
    return [
        Answer(text, [], "none", {"id": name, "sample": i, "tests": "assert f(3) == 3"})
        for name, made in texts.items()
        for i, text in enumerate(made)
    ]


def table(answers, spec):
    return Metric(spec).statistics(answers)[:, 0].tolist()


def test_samples_of_a_row(sandbox, allowed):
    answers = samples(a=[RIGHT, WRONG, WRONG], b=[WRONG, None, " "])
    assert table(answers, "pass_at") == pytest.approx([1 / 3] * 3 + [0] * 3)
    assert table(answers, "pass_at:k=2") == pytest.approx([2 / 3] * 3 + [0] * 3)
    assert measured("pass_at:k=3", answers) == 0.5
    assert Metric("pass_at").row_score(answers[0]) == 1.0
    assert Metric("pass_at").row_details(answers[1]) == {
        "passed": False,
        "reason": "AssertionError: at assert f(3) == 3",
    }
    assert Metric("pass_at").row_details(answers[4]) == {"passed": False, "reason": "no answer"}
    outcomes = {"AssertionError": 3, "no answer": 2, "passed": 1}
    assert Metric("pass_at").details(answers, np.zeros(2)) == {"outcomes": outcomes}


def summaries_of(rows, cluster):
    answers, baseline = map(list, zip(*rows, strict=True))
    plan = Plan(("pass_at", "pass_at:k=2"), ("lang",), 200, 0, {}, cluster)
    return summarise(plan, answers, baseline)


@pytest.mark.parametrize("cluster", [None, "doc"])
def test_row_order_changes_no_bit(allowed, monkeypatch, cluster):
    """With answers that pass or not by what they say; the sandbox has its own tests."""
    monkeypatch.setattr(
        pass_at,
        "verdicts",
        lambda jobs, _: [Verdict(job is not None and "x" in job.answer[-1:], "no") for job in jobs],
    )
    rng = random.Random(3)
    pairs = []
    for i in range(20):
        row = {"id": f"{i}", "tests": "assert True", "lang": "ab"[i % 2], "doc": i % 5}
        for sample in range(2 + i % 3):
            said = [rng.choice([RIGHT, WRONG, None, ""]) for _ in range(2)]
            pairs.append([Answer(t, [], "none", row | {"sample": sample}) for t in said])
    first = summaries_of(pairs, cluster)
    assert 0 < first[0]["value"] < 1
    for seed in range(3):
        shuffled = random.Random(seed).sample(pairs, len(pairs))
        assert summaries_of(shuffled, cluster) == first


def test_neither_row_order_nor_workers_change_a_verdict(sandbox, allowed):
    answers = samples(a=[RIGHT, WRONG], b=[WRONG, RIGHT, ""], c=[RIGHT])
    known = dict(zip(map(str, answers), Metric("pass_at").statistics(answers)[:, 0], strict=True))
    turned = answers[::-1]
    found = Metric("pass_at").statistics(turned)[:, 0]
    assert dict(zip(map(str, turned), found, strict=True)) == known


def test_too_few_samples_are_an_error(allowed):
    with pytest.raises(UserError, match="id 'b' has 1 sample, pass_at with k=2 needs 2") as caught:
        table(samples(a=[RIGHT, WRONG], b=[RIGHT]), "pass_at:k=2")
    assert caught.value.hint == "generate --samples 2"


def test_rows_without_tests_are_an_error_even_without_an_answer(allowed):
    for text in (RIGHT, None):
        with pytest.raises(UserError, match="id 'x': has no tests"):
            table([Answer(text, [], "none", {"id": "x"})], "pass_at")


def test_it_refuses_unless_allowed(monkeypatch):
    monkeypatch.delenv(codetests.VARIABLE, raising=False)
    with pytest.raises(UserError) as caught:
        table(samples(a=[RIGHT]), "pass_at")
    assert caught.value.code == Exit.UNAVAILABLE


@pytest.mark.parametrize("spec", ["k=0", "seconds=0", "memory=1"])
def test_options_that_make_no_sense(spec):
    with pytest.raises(UserError, match="must be from"):
        Metric(f"pass_at:{spec}")


def test_the_limits_are_the_options():
    asked = []

    def fake(jobs, limits):
        asked.append((limits.seconds, limits.memory))
        return [codetests.NO_ANSWER for _ in jobs]

    with pytest.MonkeyPatch.context() as patch, codetests.allowing(True):
        patch.setattr(pass_at, "verdicts", fake)
        table(samples(a=[RIGHT]), "pass_at:seconds=7,memory=199")
    assert asked == [(7, 199)]


def test_the_command(sandbox, run, write):
    rows = [{"id": "a", "prompt": "Write f.", "completion": RIGHT, "tests": "assert f(3) == 3"}]
    given = [{"id": "a", "sample": i, "prediction": t} for i, t in enumerate([WRONG, RIGHT])]
    command = ("eval", write("p.jsonl", given), "--references", write("r.jsonl", rows))
    command += ("--metric", "pass_at", "--scores", "s.jsonl", "-o", "o.jsonl")
    refused = run(*command)
    assert refused.exit_code == 69
    assert "--allow-code" in refused.stderr
    done = run(*command, "--allow-code")
    assert done.exit_code == 0, done.stderr
    from pathlib import Path

    assert json.loads(Path("o.jsonl").read_text())["value"] == 0.5
    first, second = map(json.loads, Path("s.jsonl").read_text().splitlines())
    assert first["scores"] == {"pass_at": 0.0}
    reason = "AssertionError: at assert f(3) == 3"
    assert first["details"] == {"pass_at": {"passed": False, "reason": reason}}
    assert second["details"] == {"pass_at": {"passed": True, "reason": None}}
