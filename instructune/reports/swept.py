"""A sweep as one page: its best trial, what mattered, how it got there, and all trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instructune.reports import searched
from instructune.reports.drawing import key
from instructune.reports.pages import Html, element, heading, note, page, table
from instructune.sweeping import searching
from instructune.sweeping.asked import Asked
from instructune.sweeping.trials import COMPLETE, FAILED, PRUNED, RUNNING, Trial, Trials

_WIDE = "wide drawn-wide"  # scrolled, as shrunken words cannot be read
_ORDER = (COMPLETE, PRUNED, FAILED, RUNNING)
_HINT = 20  # complete trials below which importance is little more than chance


@dataclass(frozen=True)
class Swept:
    """A sweep that is over: its name, what was asked for, its trials, and what was kept."""

    name: str
    asked: Asked
    trials: Trials
    best: Mapping[str, Any]


def swept(found: Swept) -> bytes:
    """The page; at least one trial must be complete."""
    return page(
        f"Sweep: {found.name}",
        [_verdict(found), *_lines(found), *_importance(found), *_by_trial(found), *_table(found)],
    )


def _verdict(found: Swept) -> Html:
    config, best = found.asked.config, found.best
    states = ", ".join(f"{count} {state}" for state, count in found.trials.counts().items())
    better = "least" if found.asked.sign > 0 else "greatest"
    chosen = [element("li", f"{name} = {value}") for name, value in best["params"].items()]
    how = f"is {best['trial']}"
    if best["retrained"]:
        how = f"was trained anew with the settings of {best['trial']}"
        how += f", {config.metric} {best['retrained_value']:.4f}"
    steps = sum(trial.steps or 0 for trial in found.trials)
    return element(
        "div",
        element("strong", f"{config.metric} {best['value']:.4f}"),
        element("p", f"the {better} of {len(found.trials)} trials: {states}"),
        element("ul", *chosen),
        note(f"The run best {how}. {steps:,} training steps in all; sampler {config.sampler}."),
        class_="verdict",
    )


def _lines(found: Swept) -> list[Html]:
    trials, sign = found.trials, found.asked.sign
    axes = [searched.axis_of(parameter, trials) for parameter in found.asked.space.parameters]
    axes.append(searched.axis_of_values(found.asked.config.metric, trials, sign))
    best = trials.best(sign)
    number = best.number if best else -1
    return [
        heading("Trials across the parameters"),
        note(
            "A line is a trial; the last axis is the metric, better above. The best trial is "
            "green, the others fade with their value; broken lines have none: they were stopped "
            "or failed."
        ),
        element("div", searched.parallel(axes, trials, number), class_=_WIDE),
    ]


def _importance(found: Swept) -> list[Html]:
    shares = searching.importance(found.asked.space, found.asked.sign, found.trials)
    complete = sum(trial.state == COMPLETE for trial in found.trials)
    if not shares:
        return [heading("Importance"), note(f"{complete} complete trials tell nothing of it.")]
    hint = f" With {complete} complete trials it is a hint at most." if complete < _HINT else ""
    return [
        heading("Importance"),
        note(
            "How much each parameter decides on whether a trial is among the best tenth: "
            f"PED-ANOVA (Watanabe et al. 2023), by {complete} complete trials, of the parameters "
            f"that all of them have.{hint}"
        ),
        element("div", searched.shares(shares), class_=_WIDE),
    ]


def _by_trial(found: Swept) -> list[Html]:
    metric = found.asked.config.metric
    return [
        heading("Values by trial"),
        key({"good": "best so far", "": "complete"}),
        note("A cross at the foot is a trial that was stopped early (grey) or failed (red)."),
        element("div", searched.values(found.trials, found.asked.sign, metric), class_=_WIDE),
    ]


def _table(found: Swept) -> list[Html]:
    sign = found.asked.sign

    def rank(trial: Trial) -> tuple[int, float]:
        complete = trial.state == COMPLETE  # what else has a value has a loss
        return _ORDER.index(trial.state), (sign if complete else 1) * (trial.value or 0.0)

    names = [parameter.name for parameter in found.asked.space.parameters]
    rows = [
        {
            "trial": trial.id,
            "state": trial.state,
            found.asked.config.metric: _value(trial),
            "steps": trial.steps if trial.steps is not None else "-",
            **{name: _number(trial.params.get(name, "-")) for name in names},
            "reason": trial.reason or "",
        }
        for trial in sorted(found.trials, key=rank)
    ]
    right = {found.asked.config.metric, "steps", *names}
    return [heading("All trials, the best first"), table(rows, right=right, name="cards")]


def _value(trial: Trial) -> str:
    return f"{trial.value:.4f}" if trial.state == COMPLETE and trial.value is not None else "-"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
