"""Answers in, summaries out: values with intervals, and differences to a baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructune import __version__, statistics
from instructune.errors import UserError, did_you_mean, usage
from instructune.jsonl import dumps
from instructune.measuring import Metric, bare
from instructune.metrics import metrics
from instructune.predictions import Answer
from instructune.records import key_of
from instructune.statistics import Measure

MOST_CLOSED = 20  # distinct reference texts that may still be a set of labels
Summary = dict[str, Any]


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


@dataclass(frozen=True)
class Plan:
    """What to compute: the metrics, slices by these fields, and the draws behind each interval.

    `missing` counts, by id, the predictions that should be there and are not.
    """

    names: Sequence[str]
    by: Sequence[str]
    resamples: int
    seed: int
    missing: Mapping[str, int]


def summarise(
    plan: Plan, answers: Sequence[Answer], baseline: Sequence[Answer] | None
) -> list[Summary]:
    """A summary a metric: of all answers, then of each slice. Row order does not matter."""
    order = sorted(range(len(answers)), key=lambda i: key_of(answers[i].row))
    summaries = _summaries(plan, None, order, answers, baseline)
    for field in dict.fromkeys(plan.by):
        for value, members in _slices(field, order, answers):
            summaries += _summaries(plan, {field: value}, members, answers, baseline)
    return summaries


def _slices(
    field: str, order: Sequence[int], answers: Sequence[Answer]
) -> Iterator[tuple[Any, list[int]]]:
    """Each value of a top-level field and the rows that have it; null where it is absent."""
    members: dict[bytes, list[int]] = {}
    for i in order:
        members.setdefault(dumps(answers[i].row.get(field)), []).append(i)
    if not any(field in answer.row for answer in answers):
        known = {name for answer in answers for name in answer.row}
        raise usage(
            f"no row has the field {field!r}", where="--by", hint=did_you_mean(field, known)
        )
    for spelled in sorted(members):
        yield answers[members[spelled][0]].row.get(field), members[spelled]


def _summaries(
    plan: Plan,
    by: dict[str, Any] | None,
    members: Sequence[int],
    answers: Sequence[Answer],
    baseline: Sequence[Answer] | None,
) -> list[Summary]:
    """The summaries of the rows `members`, which are in order of their keys."""
    mine = [answers[i] for i in members]
    theirs = [baseline[i] for i in members] if baseline else None
    ids = [answer.row["id"] for answer in mine]
    starts = np.array([i for i, name in enumerate(ids) if i == 0 or name != ids[i - 1]])
    counts = {
        "n": len(mine),
        "n_expected": len(mine) + sum(plan.missing.get(name, 0) for name in set(ids)),
        "n_errors": sum(answer.prediction is None for answer in mine),
    }
    systems = [rows for rows in (mine, theirs) if rows is not None]
    failed = any(all(a.prediction is None for a in rows) for rows in systems)
    if failed:  # a slice of errors has no score, and 0 would look like one
        return [_unscored(name, counts, by, theirs is not None) for name in plan.names]
    modules = [Metric(name, mine) for name in plan.names]
    measures = [
        Measure(statistics.cluster_means(module.statistics(rows), starts), module.value)
        for module in modules
        for rows in systems
    ]
    draws = statistics.bootstrap(measures, plan.resamples, plan.seed)
    step, found = len(systems), []
    for i, (name, module) in enumerate(zip(plan.names, modules, strict=True)):
        part = slice(i * step, (i + 1) * step)
        found.append(_summary(plan, name, module, measures[part], draws[part], counts, by))
        if hasattr(module, "details"):
            sums = statistics.exact_sums(measures[part][0].table)
            found[-1]["details"] = module.details(mine, sums)
    return found


def _summary(
    plan: Plan,
    name: str,
    module: Metric,
    measures: Sequence[Measure],
    draws: np.ndarray,
    counts: dict[str, int],
    by: dict[str, Any] | None,
) -> Summary:
    """One metric's line: `measures` and `draws` of the system and, if given, of the baseline."""
    n, (low, high) = measures[0].table.shape[0], module.RANGE
    values = [float(m.value(statistics.exact_sums(m.table))) for m in measures]
    ci95, method = statistics.interval(draws[0], values[0], n, (low, high))
    recipe = [
        f"{name}|{module.SIGNATURE}|errors:wrong|unit:id",
        f"ci:{method},resamples:{plan.resamples},seed:{plan.seed}",
    ]
    paired: Summary = {}
    if len(measures) == 2:
        delta, width = values[0] - values[1], high - low
        delta_ci95, method = statistics.interval(draws[0] - draws[1], delta, n, (-width, width))
        test, p = _test(module, measures, plan.seed)
        recipe.append(f"delta_ci:{method}|p:{test},{p.method}")
        paired = {"baseline": values[1], "delta": delta, "delta_ci95": list(delta_ci95), "p": p.p}
    signature = "|".join([*recipe, f"version:{__version__}"])
    head = {"metric": name, "value": values[0], "ci95": list(ci95)}
    return head | counts | {"by": by, "signature": signature} | paired


def _test(module: Metric, measures: Sequence[Measure], seed: int) -> tuple[str, statistics.PValue]:
    """The paired test that fits: on row differences for a mean, else by swapping systems."""
    system, baseline = (measure.table for measure in measures)
    if getattr(module, "MEAN_OF_ROWS", False):
        return "sign_flip", statistics.sign_flip_test(system[:, 0] - baseline[:, 0], seed)
    return "swap", statistics.swap_test(system, baseline, module.value, seed)


def _unscored(
    name: str, counts: dict[str, int], by: dict[str, Any] | None, paired: bool
) -> Summary:
    head: Summary = {"metric": name, "value": None, "ci95": None} | counts
    tail = dict.fromkeys(("baseline", "delta", "delta_ci95", "p")) if paired else {}
    return head | {"by": by, "signature": f"{name}|{Metric(name).SIGNATURE}"} | tail
