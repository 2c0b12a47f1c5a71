"""Negative controls: what a metric gives to answers that have not looked at the question.

A constant answer, the best of the candidates; answers that are references of rows at random; for
texts, the prompt again and a refusal. Where the references are a closed set the numbers of the
first two are exact, else all are those of a sample of rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.constants import constants
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.evaluating.systems import Units
from instructune.jsonl import dumps
from instructune.records import PREDICTION_FIELDS, Record
from instructune.statistics.tables import exact_sums, is_sparse
from instructune.texts import asked

MOST_CLOSED = 40  # distinct references that are tried against each other
SAMPLE = 500
CONSTANTS = 3  # most frequent references that are tried on a sample
_KINDS = frozenset(["text", "label", "labels", "number", "tags"])  # of which one can be guessed
_WRITTEN = frozenset(PREDICTION_FIELDS)  # by a model, beside its answer
REFUSAL = "I'm sorry, but I can't help with that."

Control = tuple[str, list[Answer], np.ndarray]  # its name, its answers, and what each weighs


def made_of(answers: Sequence[Answer], units: Units) -> list[Control]:
    """The controls of rows in order of their keys; no other order and no seed plays a part."""
    if not all(answer.references and answer.kind in _KINDS for answer in answers):
        return list(_in_words(*_sample(answers, units.shares)))
    rows: dict[Any, Answer] = {}
    weights: Counter[Any] = Counter()
    for answer, share in zip(answers, units.shares.tolist(), strict=True):
        key = _key(answer)
        rows.setdefault(key, answer)
        weights[key] += share
        if len(rows) > MOST_CLOSED:
            return list(_on_a_sample(answers, units.shares))
    sample, shares = _sample(answers, units.shares)
    candidates = constants(list(rows.values()), sample, len(rows))
    closed = _on_all(list(rows.values()), np.array([weights[key] for key in rows]), candidates)
    return [*closed, *_in_words(sample, shares)]


def _key(answer: Answer) -> Any:
    """What tells rows apart for metrics that read references and checks."""
    if "checks" not in answer.row and answer.kind in ("text", "label"):
        return tuple(answer.references)
    return dumps([answer.references, answer.row.get("checks")])


def tried(metric: Metric, made: Sequence[Control]) -> dict[str, float]:
    """The value of each control; none for a metric that reads more of a row than its answer."""
    if not getattr(metric, "CHANCE", True):
        return {}
    found: dict[str, float] = {}
    pick = max if metric.HIGHER_IS_BETTER else min
    try:
        for name, rows, weights in made:
            value = _value(metric, rows, weights)
            if np.isfinite(value):
                found[name] = pick(found.get(name, value), value)
    except (UserError, OverflowError):  # it needs what only a model can write, or has no value
        return {}
    return found


def best(metric: Metric, controls: dict[str, float]) -> float | None:
    """The chance level: the best of the controls, which a score has to beat."""
    pick = max if metric.HIGHER_IS_BETTER else min
    return pick(controls.values()) if controls else None


def _value(metric: Metric, rows: list[Answer], weights: np.ndarray) -> float:
    if hasattr(metric, "evaluator"):
        return float(metric.evaluator(rows)(weights[None])[0])
    table = metric.statistics(rows)
    table = table.toarray() if is_sparse(table) else table
    return float(metric.value(exact_sums(weights[:, None] * table)))


def _on_all(
    rows: list[Answer], weights: np.ndarray, candidates: Sequence[Any]
) -> Iterator[Control]:
    """Controls over a closed set of references, each weighing as much as its rows."""
    for constant in candidates:
        yield "constant", [_answer(i, row, constant) for i, row in enumerate(rows)], weights
    pairs = [(row, other) for row in rows for other in rows]
    crossed = [_answer(i, row, other.references[0]) for i, (row, other) in enumerate(pairs)]
    yield "guess", crossed, np.outer(weights, weights / weights.sum()).ravel()


def _on_a_sample(answers: Sequence[Answer], shares: np.ndarray) -> Iterator[Control]:
    """Controls over rows drawn once and for all."""
    rows, weights = _sample(answers, shares)
    for constant in constants(answers, rows, CONSTANTS):
        yield "constant", [_answer(i, row, constant) for i, row in enumerate(rows)], weights
    others = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    guesses = [_fit(other.references[0], row) for row, other in zip(rows, others, strict=True)]
    pairs = list(zip(rows, guesses, strict=True))
    yield "guess", [_answer(i, row, guess) for i, (row, guess) in enumerate(pairs)], weights
    yield from _in_words(rows, weights)


def _sample(answers: Sequence[Answer], shares: np.ndarray) -> tuple[list[Answer], np.ndarray]:
    """Some rows, drawn once and for all, and what each weighs."""
    drawn = np.random.default_rng(0).permutation(len(answers))
    chosen = np.sort(drawn[:SAMPLE])
    return [answers[i] for i in chosen], shares[chosen]


def _in_words(rows: list[Answer], weights: np.ndarray) -> Iterator[Control]:
    """What can be said to any question, where words are what is asked for."""
    if all(row.kind in ("text", "label", "none") for row in rows):
        yield "refusal", [_answer(i, row, REFUSAL) for i, row in enumerate(rows)], weights
        for said in (_last_turn, _prompt):
            yield "echo", [_answer(i, row, said(row)) for i, row in enumerate(rows)], weights


def _answer(number: int, row: Answer, prediction: Any) -> Answer:
    """The row with another answer, and without what the model wrote beside its own."""
    fields = {key: value for key, value in row.row.items() if key not in _WRITTEN}
    return row._replace(prediction=_fit(prediction, row), row=Record(fields | {"id": str(number)}))


def _fit(prediction: Any, row: Answer) -> Any:
    """Tags repeated or cut to the length of the row's."""
    if row.kind != "tags" or not prediction:
        return prediction
    size = len(row.references[0])
    return (list(prediction) * (size // len(prediction) + 1))[:size]


def _prompt(row: Answer) -> str:
    """All that is asked."""
    found = asked(row.row)
    said = row.row.get("prompt") if found is None else found
    return said if isinstance(said, str) else ""


def _last_turn(row: Answer) -> str:
    if "messages" not in row.row or asked(row.row) is None:
        return _prompt(row)
    said = [turn.get("content") for turn in row.row["messages"] if turn["role"] == "user"]
    return (said[-1] or "") if said else ""
