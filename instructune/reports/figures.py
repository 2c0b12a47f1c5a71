"""Numbers as people read them: scores, differences, p-values, counts and names of metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from instructune.evaluating.measuring import Metric, bare

Summary = Mapping[str, Any]


_SPELT = {"chrf": "chrF", "brier": "Brier", "rouge": "ROUGE", "l": "L"} | {
    name: name.upper()
    for name in ("auprc", "auroc", "bleu", "ece", "f1", "mae", "mcc", "rmse", "ter")
}


def name_of(spec: str) -> str:
    """`exact_match` as "exact match", `token_f1` as "token F1"; options stay."""
    name = bare(spec)
    return " ".join(_SPELT.get(part, part) for part in name.split("_")) + spec[len(name) :]


def at_start(phrase: str) -> str:
    """The phrase as a sentence begins."""
    return phrase[:1].upper() + phrase[1:]


def ends_of(spec: str) -> tuple[float, float]:
    """The least and the greatest value of the metric; either may be infinite."""
    low, high = Metric(spec).RANGE
    return low, high


def point(spec: str) -> float:
    """A hundredth of the scale: 0.01 of a score up to 1, 1 of one up to 100; NaN without end."""
    high = ends_of(spec)[1]
    return high / 100 if math.isfinite(high) else math.nan


def score(spec: str, value: float | None, digits: int = 3) -> str:
    """A value, with so many digits after the point where it goes from 0 to 1."""
    if value is None:
        return "-"
    high = ends_of(spec)[1]
    if high <= 1:
        return f"{value:.{digits}f}"
    return f"{value:.{digits - 1}f}" if math.isfinite(high) else f"{value:.{digits + 1}g}"


def scores(spec: str, *values: float) -> list[str]:
    """Values with two digits, or with as many more, up to four, as tell them apart."""
    for digits in (2, 3, 4):
        shown = [score(spec, value, digits) for value in values]
        if len(set(shown)) == len(set(values)):
            break
    return shown


def signed(spec: str, value: float | None) -> str:
    """A difference."""
    if value is None:
        return "-"
    shown = score(spec, abs(value))
    return f"{'-' if value < 0 else '+'}{shown}"


def span(spec: str, bounds: Sequence[float] | None, *, sign: bool = False) -> str:
    """An interval."""
    one = signed if sign else score
    return "-" if bounds is None else " to ".join(one(spec, bound) for bound in bounds)


def p_value(p: float | None) -> str:
    """`< 0.001`, or three digits."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def place(by: Mapping[str, Any] | None) -> str:
    """A slice as `field=value field=value`."""
    return " ".join(f"{field}={value}" for field, value in (by or {}).items())


def units(summary: Summary) -> tuple[int, str]:
    """What the interval counts, and its name: rows, ids of several samples, or clusters."""
    if "n_clusters" in summary:
        return int(summary["n_clusters"]), "clusters"
    paired = (summary.get("details") or {}).get("paired") or {}
    counted: int = paired["units"] if "units" in paired else summary["n"]
    return counted, "rows" if counted == summary["n"] else "ids"
