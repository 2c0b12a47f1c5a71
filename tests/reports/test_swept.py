"""swept: the page says what was found, also where trials failed, and nothing in it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from instructune.configs import SweepConfig
from instructune.reports.swept import Swept, swept
from instructune.sweeping.asked import Asked
from instructune.sweeping.space import Parameter, Space
from instructune.sweeping.trials import Trial, Trials
from tests.wellformed import elements

HOSTILE = "</title></style></svg><script>x()</script><img src=x onerror=y()>\"' &amp; \x1b[2J\u202e"
RATE = Parameter("learning_rate", low=1e-4, high=1e-1, log=True)


def shown(trials: list[Trial], *parameters: Parameter, **more: Any) -> str:
    asked = Asked(
        SweepConfig(metric=more.pop("metric", "eval_loss")), Space({}, parameters), {}, None
    )
    table = Trials(Path(), trials)
    best = table.best(asked.sign)
    assert best
    kept = {"trial": best.id, "params": best.params, "value": best.value, "retrained": False}
    data = swept(Swept("sw", asked, table, kept | more))
    elements(data)
    return data.decode()


def few() -> list[Trial]:
    return [
        Trial(0, {"learning_rate": 0.001}, "complete", 3.0, 10),
        Trial(1, {"learning_rate": 0.01}, "pruned", 4.0, 2, "eval_loss 4.0000 after 2 steps"),
        Trial(2, {"learning_rate": 0.002}, "complete", 2.5, 10),
        Trial(3, {"learning_rate": 0.09}, "failed", reason="non-finite", code=70),
    ]


def test_what_it_says():
    page = shown(few(), RATE)
    assert "<strong>eval_loss 2.5000</strong>" in page
    assert "the least of 4 trials: 2 complete, 1 pruned, 1 failed" in page
    assert "<li>learning_rate = 0.002</li>" in page
    assert "The run best is trial-0002. 22 training steps in all; sampler tpe." in page
    assert "2 complete trials tell nothing of it." in page
    rows = [part.partition("</td>")[0] for part in page.split('<tr><td data-label="trial">')[1:]]
    assert rows == ["trial-0002", "trial-0000", "trial-0001", "trial-0003"]
    assert "eval_loss 4.0000 after 2 steps" in page
    anew = shown(few(), RATE, retrained=True, retrained_value=2.25)
    assert "was trained anew with the settings of trial-0002, eval_loss 2.2500." in anew


def test_a_metric_of_which_more_is_better():
    page = shown(few(), RATE, metric="accuracy")
    assert "<strong>accuracy 3.0000</strong>" in page
    assert "the greatest of 4 trials" in page


def test_importance_where_there_are_enough_trials():
    pytest.importorskip("optuna")
    trials = [
        Trial(i, {"learning_rate": 10 ** (-4 + i / 4), "seed": i % 2}, "complete", (i - 6.0) ** 2)
        for i in range(12)
    ]
    page = shown(trials, RATE, Parameter("seed", (0, 1)))
    assert "by 12 complete trials" in page
    assert "it is a hint at most" in page
    assert page.index(">learning_rate</text>", page.index("PED-ANOVA")) > 0


def test_nothing_in_it_is_markup():
    hostile = Parameter("template", (HOSTILE, "b"))
    trials = [
        Trial(0, {"template": HOSTILE}, "complete", 1.0, 1),
        Trial(1, {"template": "b"}, "failed", reason=HOSTILE, code=1),
    ]
    page = shown(trials, hostile)
    assert "<script" not in page
    assert "\x1b" not in page
