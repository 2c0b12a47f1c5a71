"""Summaries: each metric's value with its interval, and its difference to a baseline, by slice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from instructune import __version__
from instructune.errors import UserError, did_you_mean, usage
from instructune.evaluating import controls, pairs
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.evaluating.systems import System, Units, units_of
from instructune.jsonl import dumps
from instructune.records import key_of
from instructune.statistics import resampling, significance
from instructune.statistics.intervals import Interval, interval, wilson_interval
from instructune.statistics.tables import Table

Summary = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What to compute: the metrics, slices by fields, and the draws behind each interval.

    A slice's fields are crossed where they are joined by commas. `missing` counts, by id, the
    predictions that should be there and are not. `cluster` names the field whose values are the
    units of resampling and of tests; without it, ids are.
    """

    names: Sequence[str]
    by: Sequence[str]
    resamples: int
    seed: int
    missing: Mapping[str, int]
    cluster: str | None = None
    adjust: str = "holm"


def summarise(
    plan: Plan, answers: Sequence[Answer], baseline: Sequence[Answer] | None
) -> list[Summary]:
    """A summary a metric: of all answers, then of each slice. Row order does not matter."""
    order = sorted(range(len(answers)), key=lambda i: key_of(answers[i].row))
    summaries = _summaries(plan, None, order, answers, baseline)
    for asked in dict.fromkeys(plan.by):
        for values, members in _slices(fields_of(asked), order, answers):
            summaries += _summaries(plan, values, members, answers, baseline)
    return _finished(plan, summaries)


def fields_of(asked: str) -> list[str]:
    """The fields that one --by crosses."""
    return list(dict.fromkeys(field.strip() for field in asked.split(",")))


def _slices(
    fields: Sequence[str], order: Sequence[int], answers: Sequence[Answer]
) -> Iterator[tuple[dict[str, Any], list[int]]]:
    """Each combination of values of top-level fields, null where absent, and the rows of it."""
    for field in fields:
        if not any(field in answer.row for answer in answers):
            known = {name for answer in answers for name in answer.row}
            raise usage(
                f"no row has the field {field!r}", where="--by", hint=did_you_mean(field, known)
            )
    members: dict[tuple[bytes, ...], list[int]] = {}
    for i in order:
        row = answers[i].row
        members.setdefault(tuple(dumps(row.get(field)) for field in fields), []).append(i)
    for spelled in sorted(members):
        row = answers[members[spelled][0]].row
        yield {field: row.get(field) for field in fields}, members[spelled]


def _finished(plan: Plan, summaries: list[Summary]) -> list[Summary]:
    """The summaries with p-values adjusted for the number of tests in the run, and signed."""
    tested = [summary for summary in summaries if summary.get("p") is not None]
    recipe = [f"version:{__version__}"]
    if tested and plan.adjust != "none":
        found = significance.adjusted([summary["p"] for summary in tested], plan.adjust)
        for summary, p in zip(tested, found, strict=True):
            details = summary.pop("details", {})
            summary |= {"p_adjusted": p, "details": details}
            summary["signature"] += f"|adjust:{plan.adjust},tests:{len(tested)}"
    for summary in summaries:
        summary["signature"] = "|".join([summary["signature"], *recipe])
    return summaries


class _Part(NamedTuple):
    """One metric on the rows of a slice, by one system or two."""

    name: str
    metric: Metric
    systems: list[System]

    @property
    def binary(self) -> bool:
        """Whether the scores are all 0 or 1, for which formulas beat draws."""
        return all(system.is_proportion() for system in self.systems)


class _Slice(NamedTuple):
    """Rows in order of their keys: each side's answers, and what all metrics share."""

    by: dict[str, Any] | None
    sides: list[list[Answer]]
    units: Units
    counts: dict[str, int]


def _summaries(
    plan: Plan,
    by: dict[str, Any] | None,
    members: Sequence[int],
    answers: Sequence[Answer],
    baseline: Sequence[Answer] | None,
) -> list[Summary]:
    """The summaries of the rows `members`, which are in order of their keys."""
    sides = [[side[i] for i in members] for side in (answers, baseline) if side is not None]
    units = units_of(sides[0], plan.cluster)
    cut = _Slice(by, sides, units, _counts(plan, sides[0], units))
    if any(all(a.prediction is None for a in rows) for rows in sides):
        # a slice of errors has no score, and 0 would look like one
        return [_unscored(name, cut, plan) for name in plan.names]
    parts, undefined = _parts(plan, cut)
    drawn = [system.measure for part in parts if not part.binary for system in part.systems]
    draws = iter(resampling.bootstrap(drawn, plan.resamples, plan.seed) if drawn else ())
    junk = controls.made_of(sides[0], units)
    found = {
        part.name: _summary(
            plan, part, [] if part.binary else [next(draws) for _ in sides], cut, junk
        )
        for part in parts
    }
    for name, reason in undefined.items():
        found[name] = _unscored(name, cut, plan) | {"details": {"undefined": reason}}
    return [found[name] for name in plan.names]


def _parts(plan: Plan, cut: _Slice) -> tuple[list[_Part], dict[str, str]]:
    """The metrics, and by name why one has no value on a slice; the whole must have one."""
    known: list[dict[Any, Table]] = [{} for _ in cut.sides]
    parts, undefined = [], {}
    for name in plan.names:
        try:
            metric = Metric(name, cut.sides[0])
            pairs = zip(cut.sides, known, strict=True)
            systems = [System(metric, rows, cut.units, tables) for rows, tables in pairs]
        except UserError as error:
            if cut.by is None:
                raise
            undefined[name] = error.reason
        else:
            parts.append(_Part(name, metric, systems))
    return parts, undefined


def _counts(plan: Plan, answers: Sequence[Answer], units: Units) -> dict[str, int]:
    ids = {answer.row["id"] for answer in answers}
    return {
        "n": len(answers),
        "n_expected": len(answers) + sum(plan.missing.get(name, 0) for name in ids),
        "n_errors": sum(answer.prediction is None for answer in answers),
    } | ({"n_clusters": units.n} if plan.cluster else {})


def _summary(
    plan: Plan,
    part: _Part,
    draws: Sequence[np.ndarray],
    cut: _Slice,
    junk: Sequence[controls.Control],
) -> Summary:
    """One metric's line, with the difference to the baseline where there is one."""
    name, metric, (system, *others) = part
    ci95 = _interval(system, draws[0] if len(draws) else None)
    recipe = [
        _recipe(name, metric, plan),
        f"ci:{ci95.method if ci95 else 'none'},resamples:{plan.resamples},seed:{plan.seed}",
    ]
    details = dict(metric.details(cut.sides[0], system.sums)) if hasattr(metric, "details") else {}
    paired: Summary = {}
    if others:
        pair = pairs.compare(system, others[0], draws, cut.sides, plan.seed)
        paired, details["paired"] = pair.fields, pair.details
        recipe.append(pair.recipe)
    if tried := controls.tried(metric, junk):
        details["controls"] = tried
    summary: Summary = {
        "metric": name,
        "value": None if math.isnan(system.value) else system.value,
        "ci95": [ci95.low, ci95.high] if ci95 else None,
    }
    summary |= cut.counts | {"by": cut.by, "signature": "|".join(recipe)}
    summary |= {"chance": controls.best(metric, tried)} | paired
    return summary | ({"details": details} if details else {})


def _interval(system: System, draws: np.ndarray | None) -> Interval | None:
    """Wilson's for a share of ids, else what fits the draws; None where the value is undefined."""
    n, scores = system.units.n, system.scores()
    if math.isnan(system.value):
        return None
    if draws is None:
        assert scores is not None
        return Interval(*wilson_interval(float(scores.sum()), n), "wilson")
    left_out, clustered = resampling.jackknife(system.measure), system.units.clustered
    return interval(draws, system.value, left_out, n, system.metric.RANGE, clustered=clustered)


def _recipe(name: str, metric: Metric, plan: Plan) -> str:
    return f"{name}|{metric.SIGNATURE}|errors:wrong|unit:{plan.cluster or 'id'}"


def _unscored(name: str, cut: _Slice, plan: Plan) -> Summary:
    summary: Summary = {"metric": name, "value": None, "ci95": None} | cut.counts
    summary |= {"by": cut.by, "signature": _recipe(name, Metric(name), plan), "chance": None}
    return summary | (dict.fromkeys(pairs.FIELDS) if len(cut.sides) > 1 else {})
