"""measuring: metrics with options, and what every metric of the family keeps to."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from instructune.errors import UserError
from instructune.evaluating import measuring
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.metrics import metrics
from instructune.statistics.tables import exact_sums
from tests.scored import measured

TWO = ["A. one is 1", "B. two is 2"]
RELATIONS = [{"head": 0, "tail": 1, "type": "r"}]
KINDS = {
    "tags": [(["B-X", "O"], None), ("X: one", None)],
    "relations": [("one (X) | r | two (Y)", RELATIONS), ("none", RELATIONS)],
    "text": [("A. one is 1", TWO[0]), ("B. a 2", TWO[1])],
    "label": [(TWO[0], TWO[0]), (TWO[0], TWO[1])],
    "labels": [(["a"], ["a", "b"]), (["b"], ["b"])],
    "number": [(1.0, 2.0), (3.0, 5.0)],
    "none": [("a", None), ("I'm sorry, but I can't help with that.", None)],
}
FIELDS = {
    "messages": [{"role": "user", "content": "one is the question"}],
    "label_scores": {TWO[0]: -0.5, TWO[1]: -1.0},
    "reference_logprob": {"sum": -3.0, "tokens": 2, "bytes": 11},
    "tokens": ["one", "two"],
    "tags": ["B-X", "O"],
    "text": "one two",
    "entities": [{"start": 0, "end": 3, "type": "X"}, {"start": 4, "end": 7, "type": "Y"}],
    "relations": RELATIONS,
    "checks": [{"check": "no_commas"}, {"check": "max_words", "args": {"n": 1}}],
}
SERVED = {name: metrics.facts(name)["REFERENCES"] or ("none",) for name in metrics.names()}
# metrics with options that must be given, and those of rows that belong together, have their own
OWN = {"toxic_rate", "parity_gap", "odds_gap", "score_gap", "worst_case", "perturbation_drop"}
OWN |= {"flip_rate", "pair_preference", "pass_at"}
NAMES = [n for n, kinds in SERVED.items() if set(kinds) & set(KINDS) and n not in OWN]


def rows_for(name):
    kind = next(kind for kind in KINDS if kind in SERVED[name])
    return [
        Answer(prediction, [reference], kind, {"id": f"{i // 2}", "sample": i % 2} | FIELDS)
        for i, (prediction, reference) in enumerate(KINDS[kind])
    ]


def run(metric, answers):
    """All that is computed of the answers."""
    if hasattr(metric, "evaluator"):
        metric.evaluator(answers)(np.ones((1, len(answers))))
    else:
        sums = exact_sums(metric.statistics(answers))
        metric.value(sums)
        if hasattr(metric, "details"):
            metric.details(answers, sums)


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(metrics[n], "Options")])
def test_every_option_is_read(name, monkeypatch):
    """By what is computed: the signature names options that nothing else need read."""
    options, read = metrics[name].Options, set()

    class Watched(options):
        def __getattribute__(self, attribute):
            read.add(attribute)
            return super().__getattribute__(attribute)

    metric = Metric(name)
    metric._options = Watched()
    read.clear()
    run(metric, rows_for(name))
    asked = {field.name for field in dataclasses.fields(options)}
    assert asked <= read or "__dict__" in read


@pytest.mark.parametrize("name", NAMES)
def test_the_contract(name):
    module, answers = metrics[name], rows_for(name)
    low, high = module.RANGE
    assert isinstance(module.HIGHER_IS_BETTER, bool)
    assert low <= measured(name, answers) <= high
    assert hasattr(module, "evaluator") != (hasattr(module, "statistics"))
    if hasattr(module, "row_score") and np.isfinite(high):
        assert getattr(module, "WORST", 0.0) == (low if module.HIGHER_IS_BETTER else high)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rows_changes_no_bit_of_a_sum(name):
    answers = rows_for(name)
    if hasattr(metrics[name], "statistics"):
        metric = Metric(name)
        forth, back = metric.statistics(answers), metric.statistics(answers[::-1])
        dense = [t.toarray() if hasattr(t, "toarray") else t for t in (forth, back)]
        assert (dense[0] == dense[1][::-1]).all()


def test_a_spec_is_a_metric_with_its_options():
    metric = Metric("rouge_l:stemmer=true")
    answer = Answer("running", ["runs"])
    assert metric.name == "rouge_l"
    assert metric.row_score(answer) == 1
    assert Metric("rouge_l").row_score(answer) == 0
    assert metric.SIGNATURE.endswith("|stemmer:true|tokens:unicode")
    assert Metric("accuracy").SIGNATURE == metrics["accuracy"].SIGNATURE
    with pytest.raises(AttributeError):
        metric.details  # noqa: B018


@pytest.mark.parametrize(
    ("name", "asked", "meant"),
    [
        ("f1", [], "f1"),
        ("rouge_l", ["rouge_l:stemmer=true"], "rouge_l:stemmer=true"),
        ("rouge_l", ["rouge_l:stemmer=true"] * 2, "rouge_l:stemmer=true"),
        ("rouge_l", ["rouge_l:stemmer=true", "rouge_l"], "rouge_l"),
        ("rouge_l:stemmer=true", ["rouge_l"], "rouge_l:stemmer=true"),
        ("f1", ["rouge_l"], "f1"),
    ],
)
def test_a_gate_may_use_the_bare_name(name, asked, meant):
    assert measuring.resolved(name, asked) == meant


def test_a_bare_name_that_two_bear_is_refused():
    specs = ["rouge_l:stemmer=true", "rouge_l:tokens=ascii"]
    with pytest.raises(UserError) as caught:
        measuring.resolved("rouge_l", specs)
    assert str(caught.value) == (
        "--fail-if: rouge_l may be any of rouge_l:stemmer=true, rouge_l:tokens=ascii\n"
        "  hint: quote the one you mean: '\"rouge_l:stemmer=true\" < 0.5'"
    )


def test_importing_metrics_loads_no_library_that_computes():
    program = """
import json, sys
from instructune.metrics import metrics
for name in metrics.names():
    metrics[name]
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert not set(json.loads(done.stdout)) & {"sacrebleu", "sklearn", "scipy", "nltk", "torch"}
