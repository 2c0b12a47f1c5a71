"""Which metrics fit the answers, and the score of each row by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from instructune.errors import UserError, usage
from instructune.evaluating.measuring import Metric, bare
from instructune.evaluating.predictions import Answer
from instructune.metrics import metrics

MOST_CLOSED = 20  # distinct reference texts that may still be a set of labels


def choose(
    asked: Sequence[str], gated: Sequence[str], answers: Sequence[Answer]
) -> tuple[list[str], str]:
    """The metrics to compute, those of gates included, and what they were chosen by.

    Unasked, each kind of references has its defaults (`DEFAULT_FOR` of a metric). Texts count as
    labels too where the task is classification or where they are a closed set: at most 20
    different ones, each used twice on average. Rows that all have checks have theirs, too.
    """
    kinds = {answer.kind for answer in answers}
    if asked:
        names, reason = list(asked), "--metric"
    else:
        reason = f"{' and '.join(sorted(kinds))} references"
        if kinds == {"text"} and (why := _closed(answers)):
            kinds, reason = {"text", "label"}, f"{reason}, {why}"
        defaults = {name: metrics.facts(name).get("DEFAULT_FOR", ()) for name in metrics.names()}
        if all(answer.row.get("checks") for answer in answers):
            kinds = kinds | {"checks"}
            reason = "checks" if kinds == {"none", "checks"} else f"{reason}, and checks"
        names = [name for name, kinds_of in defaults.items() if kinds & set(kinds_of)]
    names = list(dict.fromkeys([*names, *gated]))
    for name in names or metrics.names():
        _check_serves(name, answers)
    return names, reason


def _closed(answers: Sequence[Answer]) -> str | None:
    if all(answer.row.get("task") == "classification" for answer in answers):
        return "task classification"
    texts = Counter(text.strip() for answer in answers for text in answer.references)
    if len(texts) <= MOST_CLOSED and 2 * len(texts) <= len(answers):
        return f"{len(texts)} different ones"
    return None


def _check_serves(name: str, answers: Sequence[Answer]) -> None:
    if not (serves := metrics.facts(bare(name))["REFERENCES"]):
        return
    for answer in answers:
        if answer.kind not in serves:
            others = [n for n in metrics.names() if answer.kind in metrics.facts(n)["REFERENCES"]]
            raise UserError(
                f"{name} needs {' or '.join(serves)} references, "
                f"id {answer.row['id']!r} has {answer.kind}",
                hint=f"for these there are {', '.join(others)}" if others else None,
            )


def need_references(names: Iterable[str]) -> bool:
    """Whether one of the metrics compares with references; unnamed, the defaults may."""
    facts = [metrics.facts(bare(name)) for name in names]
    return not facts or any(fact["REFERENCES"] for fact in facts)


def row_scores(names: Sequence[str], answers: Sequence[Answer]) -> Iterator[dict[str, float]]:
    """Each answer's score by every metric that has one a row; an error scores the worst."""
    chosen = {name: Metric(name) for name in names}
    modules = {name: metric for name, metric in chosen.items() if hasattr(metric, "row_score")}
    if not modules:
        raise usage(f"{', '.join(names)} has no score a row", where="--scores")
    for answer in answers:
        missed = answer.prediction is None
        yield {
            name: getattr(metric, "WORST", 0.0) if missed else metric.row_score(answer)
            for name, metric in modules.items()
        }


def row_details(names: Sequence[str], answers: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    """What metrics tell of each answer beside its score, by metric; most tell nothing."""
    chosen = {name: Metric(name) for name in names}
    telling = {name: metric for name, metric in chosen.items() if hasattr(metric, "row_details")}
    for answer in answers:
        yield {name: metric.row_details(answer) for name, metric in telling.items()}
