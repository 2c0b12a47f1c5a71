"""Judgements in, summaries out: win rates, scores by criteria, ratings, and how judges judge.

The unit is the id: its samples are averaged, so that many samples make no narrower interval.
Raters of one pair are averaged too, and each has a slice of its own where there are several.
Where pairs are still to be judged, those that were stand for them: pairs that a rule settles are
all known from the start, and would count for more than their share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from instructune import __version__
from instructune.judges import ratings
from instructune.judges.judging import ROLES
from instructune.judges.verdicts import Judgement, Verdicts
from instructune.preparing.annotators import agreement
from instructune.statistics.intervals import interval
from instructune.statistics.measures import SumMeasure
from instructune.statistics.resampling import bootstrap, default_resamples, jackknife
from instructune.statistics.significance import sign_flip_test
from instructune.statistics.tables import exact_sums, unit_means

Summary = dict[str, Any]
Key = tuple[str, int]
WORTH = {"system": 1.0, "tie": 0.5, "baseline": 0.0}
_PAIRED = ("baseline", "delta", "delta_ci95", "p")


@dataclass(frozen=True)
class Plan:
    """The draws behind each interval, what goes into each signature, and the keys expected."""

    resamples: int | None
    seed: int
    recipe: str
    expected: int | None = None

    def draws(self, n: int) -> int:
        """Resamples for n clusters."""
        return self.resamples or default_resamples(n)


Rows = Mapping[Key, np.ndarray]  # by key: what its part of a sum is, and of how many


def _ratio(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return sums[..., 0] / sums[..., 1]


class _Measured(NamedTuple):
    """A ratio of sums over all keys, its interval, how that was made, and a row for each id."""

    value: float
    ci95: list[float] | None
    how: str
    table: np.ndarray


def _measured(rows: Rows, plan: Plan) -> _Measured:
    keys = sorted(rows)
    starts = np.array([i for i, key in enumerate(keys) if i == 0 or key[0] != keys[i - 1][0]])
    table = unit_means(np.array([rows[key] for key in keys]), starts)
    measure, n = SumMeasure(table, _ratio), len(table)
    value, resamples = float(_ratio(exact_sums(table))), plan.draws(n)
    draws = bootstrap([measure], resamples, plan.seed)[0]
    found = interval(draws, value, jackknife(measure), n, (0.0, 1.0), clustered=False)
    ci95, method = ([found.low, found.high], found.method) if found else (None, "none")
    return _Measured(value, ci95, f"ci:{method},resamples:{resamples},seed:{plan.seed}", table)


def _summary(metric: str, rows: Rows, plan: Plan, how: str, counts: Summary) -> Summary:
    if not rows:  # 0 would look like a score
        signature = "|".join([metric, how, plan.recipe])
        unknown: Summary = {"metric": metric, "value": None, "ci95": None, "n": 0}
        return unknown | counts | {"chance": None, "signature": signature}
    found = _measured(rows, plan)
    signature = "|".join([metric, how, plan.recipe, "unit:id", found.how, f"version:{__version__}"])
    head = {"metric": metric, "value": found.value, "ci95": found.ci95, "n": len(rows)}
    return head | counts | {"chance": None, "signature": signature}


def win_rates(found: Sequence[Judgement], plan: Plan, by: Summary | None) -> list[Summary]:
    """How often the system wins, a tie being half a win; and for judges how they use the order."""
    rows = _by_key(found, lambda j: (WORTH[j.choice or "tie"], 1.0), lambda j: j.choice is not None)
    rows, weighed = _standing_for_all(rows, found, plan)
    failed = {j.key for j in found if j.rule == "no answer" and j.choice != "system"}
    counts = {"n_expected": plan.expected or len({j.key for j in found}), "n_errors": len(failed)}
    how = "ties:half|orders:both,disagreement:tie|raters:mean" + weighed
    told = _summary("win_rate", rows, plan, how, counts)
    if not rows:
        return [told | {"by": by} | dict.fromkeys(_PAIRED)]
    value = told["value"]
    table = _measured(rows, plan).table
    test = sign_flip_test(2 * table[:, 0] - table[:, 1], plan.seed)
    told["signature"] += f"|p:sign_flip,{test.method}"
    paired = {
        "baseline": 1 - value,
        "delta": 2 * value - 1,
        "delta_ci95": _doubled(told["ci95"]),
        "p": test.p,
    }
    details = {"choices": _tally(found), "by_rule": sum(j.rule is not None for j in found)}
    summaries = [told | {"by": by} | paired | {"details": details}]
    return summaries + [one | {"by": by} for one in _order_effects(found, plan, counts)]


def _standing_for_all(
    rows: Rows, found: Sequence[Judgement], plan: Plan
) -> tuple[dict[Key, np.ndarray], str]:
    """The rows, those that a rater judged weighing as much as all that no rule settles.

    None at all where only rules have spoken. A word for the signature where it makes a difference.
    """
    settled = {j.key for j in found if j.rule} & rows.keys()
    judged, still = len(rows) - len(settled), (plan.expected or len(rows)) - len(settled)
    if not settled or still <= judged:
        return dict(rows), ""
    if not judged:
        return {}, ""
    weight = still / judged
    weighed = {key: row if key in settled else row * weight for key, row in rows.items()}
    return weighed, "|judged:stand for all that no rule settles"


def _doubled(ci95: list[float] | None) -> list[float] | None:
    """The interval of a share as that of the difference to what is left of 1."""
    return ci95 and [2 * end - 1 for end in ci95]


def _tally(found: Iterable[Judgement]) -> dict[str, int]:
    given = [judgement.choice for judgement in found]
    return {name: given.count(name) for name in WORTH}


def _order_effects(found: Sequence[Judgement], plan: Plan, counts: Summary) -> list[Summary]:
    """Whether both orders agree, and how often the answer that stands first is chosen."""
    both = [j for j in found if j.orders and None not in j.orders]
    agree = _by_key(both, lambda j: (float(len(set(j.orders or ())) == 1), 1.0))
    first = _by_key(both, _first_chosen, lambda j: _first_chosen(j)[1] > 0)
    summaries = []
    if agree:
        summaries.append(_summary("judge_consistency", agree, plan, "orders:equal", counts))
    if first:
        how = "of verdicts that are no tie"
        summaries.append(_summary("judge_first_chosen", first, plan, how, counts))
    return summaries


def _first_chosen(judgement: Judgement) -> tuple[float, float]:
    """Verdicts for the answer that stood first, and verdicts for either."""
    one, other = judgement.orders or (None, None)
    chosen = (one == "system") + (other == "baseline")
    return float(chosen), float(sum(verdict in ROLES for verdict in (one, other)))


def _by_key(
    found: Iterable[Judgement],
    part: Callable[[Judgement], tuple[float, float]],
    counts: Callable[[Judgement], bool] = lambda judgement: True,
) -> dict[Key, np.ndarray]:
    """The mean over raters of each key's part; raters sorted, so that no file order matters."""
    parts: dict[Key, list[tuple[str, tuple[float, float]]]] = {}
    for judgement in found:
        if counts(judgement):
            parts.setdefault(judgement.key, []).append((judgement.rater, part(judgement)))
    return {key: np.mean([p for _, p in sorted(given)], axis=0) for key, given in parts.items()}


def score_means(
    found: Sequence[Judgement], plan: Plan, by: Summary | None, names: Sequence[str]
) -> list[Summary]:
    """The mean of each criterion and of all, 0 to 1; beside the baseline's where it was judged."""
    expected = plan.expected or len({j.key for j in found})
    mine = [j for j in found if j.role == "system"]
    failed = len({j.key for j in mine if j.rule})
    summaries = []
    for name in [None, *names]:
        sides = [
            _by_key([j for j in found if j.role == role], _part(name), lambda j: bool(j.scores))
            for role in ROLES
        ]
        told = _scored(name, sides, plan, {"n_expected": expected, "n_errors": failed})
        summaries.append({**told, "by": by})
    return summaries


def _part(name: str | None) -> Callable[[Judgement], tuple[float, float]]:
    def part(judgement: Judgement) -> tuple[float, float]:
        scores = judgement.scores or {}
        share = sum(scores.values()) / len(scores) if name is None else scores[name]
        return share, 1.0

    return part


def _scored(name: str | None, sides: Sequence[Rows], plan: Plan, counts: Summary) -> Summary:
    metric = f"judge_score_{name}" if name else "judge_score"
    how = "scale:0-1|raters:mean"
    if not sides[1]:
        return _summary(metric, sides[0], plan, how, counts)
    keys = sides[0].keys() & sides[1].keys()
    mine, theirs = ({key: side[key] for key in keys} for side in sides)
    told = _summary(metric, mine, plan, how, counts)
    if not keys:
        return told | dict.fromkeys(_PAIRED)
    baseline = _measured(theirs, plan).value
    halves = {  # a difference as a share, so that it has an interval between bounds
        key: np.array([(1 + mine[key][0] - theirs[key][0]) / 2, 1.0]) for key in keys
    }
    between = _measured(halves, plan)
    test = sign_flip_test(2 * between.table[:, 0] - 1, plan.seed)
    told["signature"] += f"|p:sign_flip,{test.method}"
    return told | {
        "baseline": baseline,
        "delta": told["value"] - baseline,
        "delta_ci95": _doubled(between.ci95),
        "p": test.p,
    }


def rating_rows(found: Sequence[Judgement], plan: Plan) -> list[Summary]:
    """A Bradley-Terry rating for each of three systems or more, the best first."""
    names = sorted({name for judgement in found for name in judgement.systems})
    usable = [j for j in found if j.choice is not None]
    place = {name: i for i, name in enumerate(names)}
    ids = {name: i for i, name in enumerate(sorted({j.id for j in usable}))}
    tables = np.zeros((len(ids), len(names), len(names)))
    for judgement in usable:
        worth = WORTH[judgement.choice or "tie"]
        one, other = (place[name] for name in judgement.systems)
        tables[ids[judgement.id], one, other] += worth
        tables[ids[judgement.id], other, one] += 1 - worth
    resamples = plan.resamples or min(2_000, default_resamples(len(ids)))
    values, bounds = ratings.rate(names, tables, resamples, plan.seed)
    how = f"fit:mm|ties:half|prior:1 tie a pair|mean:{ratings.CENTRE:g},10 to 1:400"
    ci = f"ci:percentile,resamples:{resamples},seed:{plan.seed}"
    signature = "|".join(["rating", how, plan.recipe, "unit:id", ci, f"version:{__version__}"])
    rows = [
        {
            "metric": "rating",
            "value": float(values[i]),
            "ci95": [float(end) for end in bounds[i]],
            "n": sum(name in j.systems for j in usable),
            "n_expected": sum(name in j.systems for j in found),
            "n_errors": sum(name in j.systems and _failed(j, name) for j in found),
            "chance": None,
            "by": {"system": name},
            "signature": signature,
        }
        for name, i in place.items()
    ]
    return sorted(rows, key=lambda row: (-row["value"], row["by"]["system"]))


def _failed(judgement: Judgement, name: str) -> bool:
    """Whether this system had no answer."""
    if judgement.rule != "no answer":
        return False
    lost = {"system": judgement.systems[1:], "baseline": judgement.systems[:1]}
    return name in lost.get(judgement.choice or "", judgement.systems)


def agreements(found: Verdicts) -> dict[str, Any] | None:
    """How far raters agree on the pairs that several of them judged; None where none did."""
    given: dict[tuple[Any, ...], dict[str, str]] = {}
    for judgement in found.judgements:
        if judgement.choice and not judgement.rule and not judgement.role:
            row = given.setdefault((judgement.systems, judgement.key), {})
            row[judgement.rater] = judgement.choice
    rows = [row for _, row in sorted(given.items()) if len(row) > 1]
    return agreement(rows) if rows else None
