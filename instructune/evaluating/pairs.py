"""Two systems on the same rows: the difference with its interval, test, effect size and power."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.evaluating.systems import System
from instructune.statistics import power, resampling, significance
from instructune.statistics.intervals import (
    Interval,
    bonett_price_interval,
    interval,
    jackknife_error,
)
from instructune.statistics.measures import RowMeasure, SumMeasure
from instructune.statistics.significance import PValue

FIELDS = ("baseline", "delta", "delta_ci95", "p")


class Pair(NamedTuple):
    """What two systems differ by: fields of the summary, its details, and how they were found."""

    fields: dict[str, Any]
    details: dict[str, Any]
    recipe: str


def compare(
    system: System,
    baseline: System,
    draws: Sequence[np.ndarray],
    sides: Sequence[Sequence[Answer]],
    seed: int,
) -> Pair:
    """The difference; of 0/1 scores by formulas, else by the `draws` of both."""
    delta = system.value - baseline.value
    if math.isnan(delta):
        value = None if math.isnan(baseline.value) else baseline.value
        return Pair(dict.fromkeys(FIELDS) | {"baseline": value}, {}, "delta_ci:none|p:none")
    left_out = resampling.jackknife(system.measure) - resampling.jackknife(baseline.measure)
    error = jackknife_error(left_out[~np.isnan(left_out)])
    n = system.units.n
    details = {"units": n} | power.outlook(delta, error, n)
    if len(draws):
        low, high = system.metric.RANGE
        apart = draws[0] - draws[1]
        bounds, clustered = (low - high, high - low), system.units.clustered
        found = interval(apart, delta, left_out, n, bounds, clustered=clustered)
        details |= {"effect": "cohens_dz", "effect_size": power.cohens_dz(delta, error, n)}
        test, p = _test(system, baseline, sides, seed)
    else:
        gained, lost = _changes(system, baseline)
        found = Interval(*bonett_price_interval(gained, lost, n), "bonett_price")
        details |= {
            "effect": "cohens_h",
            "effect_size": power.cohens_h(system.value, baseline.value),
            "odds_ratio": power.odds_ratio(gained, lost),
            "gained": gained,
            "lost": lost,
        }
        test, p = "mcnemar", significance.mcnemar_test(gained, lost)
    ci95 = [found.low, found.high] if found else None
    fields = {"baseline": baseline.value, "delta": delta, "delta_ci95": ci95, "p": p.p}
    return Pair(
        fields, details, f"delta_ci:{found.method if found else 'none'}|p:{test},{p.method}"
    )


def _changes(system: System, baseline: System) -> tuple[int, int]:
    """Units of 0/1 scores that only the system has right, and only the baseline."""
    mine, theirs = system.scores(), baseline.scores()
    assert mine is not None
    assert theirs is not None
    return int((mine > theirs).sum()), int((mine < theirs).sum())


def _test(
    system: System, baseline: System, sides: Sequence[Sequence[Answer]], seed: int
) -> tuple[str, PValue]:
    """The paired test that fits: on unit differences for a mean, else by swapping systems."""
    mine, theirs = system.scores(), baseline.scores()
    if mine is not None and theirs is not None:
        return "sign_flip", significance.sign_flip_test(mine - theirs, seed)
    if isinstance(system.measure, SumMeasure) and isinstance(baseline.measure, SumMeasure):
        return "swap", significance.swap_test(system.measure, baseline.measure, seed)
    units = system.units
    evaluator = system.metric.evaluator([*sides[0], *sides[1]])
    both = RowMeasure(
        evaluator,
        np.concatenate([units.of_rows, units.of_rows + units.n]),
        np.tile(units.shares, 2),
        2 * units.n,
    )
    return "swap", significance.row_swap_test(both, seed)
