"""Calibration in a report: whether labels given a chance of 80 % are right 8 times in 10."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.evaluating.systems import System, units_of
from instructune.records import key_of
from instructune.reports import drawing, figures
from instructune.reports.pages import Html, element, heading, note, table

_METRICS = ("ece", "ece:adaptive=true", "brier")
_NAMES = ("ECE, 15 bins of equal width (lo, hi]", "adaptive ECE, 15 bins of equal counts", "Brier")


def sections(answers: Sequence[Answer], baseline: Sequence[Answer] | None) -> Iterator[Html]:
    """A reliability diagram a side whose rows have `label_scores`, and numbers; else nothing.

    Where some rows have them and others not, or a score is wrong, the reason is given instead.
    """
    sides = {"now": answers} if baseline is None else {"before": baseline, "now": answers}
    sides = {name: side for name, side in sides.items() if _has_scores(side)}
    if not sides:
        return
    yield heading("Calibration")
    try:
        found = {name: _measured(side) for name, side in sides.items()}
    except UserError as error:
        yield note(f"Not computed: {error.reason}")
        return
    yield note(
        "Bars show how often the top label is right by the chance it was given in label_scores; "
        "below the broken line the model is too sure, above it not sure enough."
    )
    parts = [
        element("div", element("h3", figures.at_start(name)), drawing.reliability(one["bins"]))
        for name, one in found.items()
    ]
    yield element("div", *parts, class_="side")
    yield table(_rows(found), right=tuple(found))


def _has_scores(answers: Sequence[Answer]) -> bool:
    closed = all(a.kind in ("label", "text") and a.references for a in answers)
    return closed and any("label_scores" in a.row for a in answers)


def _measured(answers: Sequence[Answer]) -> dict[str, Any]:
    ordered = sorted(answers, key=lambda answer: key_of(answer.row))
    units = units_of(ordered, None)
    found: dict[str, Any] = {}
    for spec, name in zip(_METRICS, _NAMES, strict=True):
        metric = Metric(spec, ordered)
        found[name] = System(metric, ordered, units, {}).value
        if spec == "ece":
            found |= metric.details(ordered, None)
    return found


def _rows(found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = [
        {"measure": name} | {side: figures.score("ece", one[name]) for side, one in found.items()}
        for name in _NAMES
    ]
    for title, key in (
        ("mean negative log-likelihood", "nll"),
        ("temperature that would calibrate these rows", "temperature"),
        ("negative log-likelihood with it", "nll_calibrated"),
    ):
        told = {side: figures.score("ece", one["calibration"][key]) for side, one in found.items()}
        rows.append({"measure": title} | told)
    return rows
