"""Drawings of a search: trials as lines across its parameters, and their values as they came."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from instructune.reports.drawing import Scale, drawing, label
from instructune.reports.pages import Html, element
from instructune.sweeping.space import Parameter
from instructune.sweeping.trials import COMPLETE, PRUNED, Trial

_TOP, _HEIGHT, _BOTTOM = 34, 240, 24  # pixels of parallel coordinates
_GAP, _SIDE = 170, 80
_WIDTH, _DEEP, _LEFT = 640, 220, 64  # of values by trial
_SHARES = 4  # colours from worst to best


class Axis(NamedTuple):
    """A vertical line that trials cross: its name, where it is crossed, and what stands there."""

    name: str
    places: Mapping[int, float]
    """by the trial's number, from 0 at the foot to 1"""
    marks: Sequence[tuple[float, str]]


def axis_of(parameter: Parameter, trials: Sequence[Trial]) -> Axis:
    """The axis of a parameter: a range by its ends, choices at equal distances."""
    given = {t.number: t.params[parameter.name] for t in trials if parameter.name in t.params}
    if parameter.choices:
        most = max(1, len(parameter.choices) - 1)
        spread = {choice: place / most for place, choice in enumerate(parameter.choices)}
        marks = [(place, _short(choice)) for choice, place in spread.items()]
        return Axis(parameter.name, {n: spread[value] for n, value in given.items()}, marks)

    def scaled(value: float) -> float:
        return math.log(value) if parameter.log else value

    scale = Scale(scaled(parameter.low), scaled(parameter.high))
    places = {number: scale.place(scaled(value), 1000) / 1000 for number, value in given.items()}
    return Axis(
        parameter.name, places, [(0.0, _short(parameter.low)), (1.0, _short(parameter.high))]
    )


def axis_of_values(metric: str, trials: Sequence[Trial], sign: int) -> Axis:
    """The axis of the metric, the better the higher."""
    values = {t.number: t.value for t in trials if t.state == COMPLETE and t.value is not None}
    best, worst = (end(values.values(), key=lambda v: sign * v) for end in (min, max))
    if best == worst:
        return Axis(metric, dict.fromkeys(values, 0.5), [(0.5, _short(best))])
    places = {number: (value - worst) / (best - worst) for number, value in values.items()}
    return Axis(metric, places, [(0.0, _short(worst)), (1.0, _short(best))])


def parallel(axes: Sequence[Axis], trials: Sequence[Trial], best: int) -> Html:
    """A line for each trial across all axes, the last of which is the metric.

    The better the trial, the stronger its line; one without a value is drawn to where it goes.
    """
    values = axes[-1].places
    order = sorted(trials, key=lambda t: (t.number == best, values.get(t.number, -1.0)))
    lines = [_line(axes, trial, values.get(trial.number), best) for trial in order]
    parts = [part for place, axis in enumerate(axes) for part in _axis(axis, _x(place))]
    width = 2 * _SIDE + _GAP * (len(axes) - 1)
    return drawing(width, _TOP + _HEIGHT + _BOTTOM, "parallel coordinates", *lines, *parts)


def _x(place: int) -> int:
    return _SIDE + place * _GAP


def _y(share: float) -> float:
    return round(_TOP + _HEIGHT * (1 - share), 1)


def _line(axes: Sequence[Axis], trial: Trial, value: float | None, best: int) -> Html:
    corners = [
        (_x(place), _y(axis.places[trial.number]))
        for place, axis in enumerate(axes)
        if trial.number in axis.places
    ]
    path = " ".join(f"{'L' if i else 'M'}{x} {y}" for i, (x, y) in enumerate(corners))
    kind = "none" if value is None else str(min(_SHARES - 1, int(value * _SHARES)))
    told = element("title", told_of(trial))
    name = "trial best" if trial.number == best else f"trial trial-{kind}"
    return element("g", told, element("path", d=path, class_=name))


def told_of(trial: Trial) -> str:
    """A trial in a line."""
    value = "" if trial.value is None else f" {trial.value:.4g}"
    params = ", ".join(f"{name}={_short(v)}" for name, v in trial.params.items())
    return f"{trial.id}, {trial.state}{value}: {params}"


def _axis(axis: Axis, x: int) -> list[Html]:
    """The line, its name above, and what its places mean beside it."""
    parts = [
        element("line", class_="axis", x1=x, x2=x, y1=_TOP, y2=_TOP + _HEIGHT),
        label(x, 14, axis.name, text_anchor="middle"),
    ]
    for place, said in axis.marks:
        y = _y(place)
        parts.append(element("line", class_="axis", x1=x - 3, x2=x + 3, y1=y, y2=y))
        parts.append(label(x + 6, y + 4, said, class_="mark"))
    return parts


def values(trials: Sequence[Trial], sign: int, metric: str) -> Html:
    """Each trial's value in the order of trials, and a line at the best so far.

    What was stopped or failed has no value of the metric: a cross at the foot.
    """
    known = [t.value for t in trials if t.state == COMPLETE and t.value is not None]
    low, high = min(known), max(known)
    scale = Scale(low, high)
    step = (_WIDTH - _LEFT - 20) / max(1, len(trials) - 1)

    def y(value: float) -> float:
        return round(20 + (_DEEP - 40) - scale.place(value, _DEEP - 40), 1)

    parts = [
        element("line", class_="axis", x1=_LEFT - 8, x2=_WIDTH - 12, y1=at, y2=at)
        for at in {y(low), y(high)}
    ]
    parts += [label(_LEFT - 14, y(end) + 4, _short(end), text_anchor="end") for end in {low, high}]
    path, best = "", None
    marks = []
    for trial in trials:
        x = round(_LEFT + trial.number * step, 1)
        if trial.state != COMPLETE or trial.value is None:
            marks.append(_cross(trial, x))
            continue
        is_best = best is None or sign * trial.value < sign * best
        if is_best:
            path += f"{f'H{x} V' if path else f'M{x} '}{y(trial.value)}"
            best = trial.value
        told = element("title", told_of(trial))
        kind = "dot good" if is_best else "dot"
        dot = element("circle", class_=kind, cx=x, cy=y(trial.value), r=4)
        marks.append(element("g", told, dot))
    path += f"H{_WIDTH - 20}"
    parts.append(element("path", d=path, class_="sofar"))
    foot = label(_WIDTH - 20, _DEEP + 16, f"trial {len(trials) - 1}", text_anchor="end")
    ends = [label(_LEFT, _DEEP + 16, "trial 0", text_anchor="middle"), foot]
    return drawing(_WIDTH, _DEEP + 24, f"{metric} by trial", *parts, *marks, *ends)


def _cross(trial: Trial, x: float) -> Html:
    foot = _DEEP - 6
    kind = "sofar" if trial.state == PRUNED else "failed"
    path = f"M{x - 4} {foot - 4}L{x + 4} {foot + 4}M{x - 4} {foot + 4}L{x + 4} {foot - 4}"
    return element("g", element("title", told_of(trial)), element("path", d=path, class_=kind))


def shares(found: Mapping[str, float]) -> Html:
    """A bar for each share of 1, with it as percent."""
    parts = []
    for place, (name, share) in enumerate(found.items()):
        y, width = place * 24, round(280 * share, 1)
        parts += [
            label(172, y + 16, name, text_anchor="end"),
            element("rect", x=180, y=y + 4, width=width, height=16),
            label(188 + width, y + 16, f"{share:.0%}"),
        ]
    return drawing(520, len(found) * 24, "importance", *parts)


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 18 else f"{text[:17]}…"
