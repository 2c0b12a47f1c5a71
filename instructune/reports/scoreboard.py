"""Scores as tables: each metric with its interval drawn, then its slices, then what was kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from instructune.evaluating.forgetting import Fate
from instructune.evaluating.gates import Verdict
from instructune.reports import drawing, figures
from instructune.reports.drawing import Scale
from instructune.reports.headlines import change
from instructune.reports.pages import Html, element, folded, heading, note, table

Summary = Mapping[str, Any]

MOST_SLICES = 60
_LEAST_REACH = 0.05  # of a scale; a smaller difference is not blown up
_RIGHT = ("value", "95 % interval", "rows", "chance", "baseline", "difference", "its interval", "p")
_OUTCOMES = {"fired": "bad-text", "passed": "good-text", "undecided": None}
_FATES = {"kept": "", "gained": "good", "lost": "bad", "missed": "empty"}
_TONES = {1: "good", -1: "bad", 0: ""}


def gates(verdicts: Sequence[Verdict]) -> Iterator[Html]:
    """What each gate found."""
    if verdicts:
        yield heading("Gates")
        told = {"fired": "failed", "passed": "passed", "undecided": "not enough data"}
        rows = [
            {
                "gate": verdict.gate.name or "",
                "fails if": element("code", verdict.gate.text),
                "outcome": element(
                    "span", told[verdict.outcome], class_=_OUTCOMES[verdict.outcome]
                ),
                "found": ", ".join(map(str, verdict.findings)),
                "why": verdict.gate.reason or "",
            }
            for verdict in verdicts
        ]
        yield table(_filled(rows, ""), name="cards")


def scores(summaries: Sequence[Summary]) -> Iterator[Html]:
    """A line a metric over all rows, and the key to the drawings."""
    whole = [summary for summary in summaries if summary["by"] is None]
    yield heading("Scores")
    yield _key(whole)
    scales = [_scale([summary]) for summary in whole]
    yield table(_lines(whole, scales), right=_RIGHT, name="cards")


def slices(summaries: Sequence[Summary]) -> Iterator[Html]:
    """For each set of fields a table a metric, all lines of one on one scale."""
    groups: dict[tuple[str, ...], dict[str, list[Summary]]] = {}
    for summary in summaries:
        if summary["by"]:
            of_fields = groups.setdefault(tuple(summary["by"]), {})
            of_fields.setdefault(summary["metric"], []).append(summary)
    for fields, metrics in groups.items():
        yield heading(f"By {', '.join(fields)}")
        for place, (name, found) in enumerate(metrics.items()):
            scale = _scale(found)
            shown = found[:MOST_SLICES]
            lines = _lines(shown, [scale] * len(shown), first=", ".join(fields))
            parts = [table(lines, right=_RIGHT, name="cards")]
            if more := len(found) - len(shown):
                parts.append(note(f"and {more:,} more slices, in the summaries"))
            yield folded(figures.at_start(figures.name_of(name)), *parts, opened=place == 0)


def fates(found: Sequence[Fate]) -> Iterator[Html]:
    """How many ids were kept, lost and gained, by field."""
    for field in dict.fromkeys(next(iter(fate["by"])) for fate in found):
        of_field = [fate for fate in found if field in fate["by"]]
        metric = figures.name_of(of_field[0]["metric"])
        yield heading(f"Kept and lost by {field}")
        yield note(
            f"An answer is lost where {metric} was better before, gained where it is better now, "
            "and missed where both are as bad as can be; p is that of a sign test."
        )
        yield drawing.key({tone: name for name, tone in _FATES.items()})
        shown = sorted(of_field, key=lambda fate: fate["gained"] - fate["lost"])[:MOST_SLICES]
        yield table([_fate(field, fate) for fate in shown], right=("p",), name="slim")
        if more := len(of_field) - len(shown):
            yield note(f"and {more:,} more, which lost less or gained more")


def _fate(field: str, fate: Fate) -> dict[str, Any]:
    parts = [(name, fate[name]) for name in _FATES]
    p = fate.get("p_adjusted", fate["p"])
    return {
        field: str(fate["by"][field]),
        "": drawing.shares(parts, _FATES),
        **{name: fate[name] for name in _FATES},
        "rows": fate["n"],
        "p": figures.p_value(p),
    }


def _lines(
    summaries: Sequence[Summary], scales: Sequence[Scale], first: str = "metric"
) -> list[dict[str, Any]]:
    """The table's rows; columns that nobody fills are left out."""
    pairs = list(zip(summaries, scales, strict=True))
    reach = max((_reach(*pair) for pair in pairs), default=0.0)
    return _filled([_line(summary, scale, first, reach) for summary, scale in pairs], "-")


def _filled(rows: list[dict[str, Any]], blank: str) -> list[dict[str, Any]]:
    empty = [key for key in rows[0] if all(row[key] == blank for row in rows)]
    return [{key: value for key, value in row.items() if key not in empty} for row in rows]


def _line(summary: Summary, scale: Scale, first: str, reach: float) -> dict[str, Any]:
    spec, n, expected = summary["metric"], summary["n"], summary["n_expected"]
    baseline, chance, tone = summary.get("baseline"), summary["chance"], change(summary)
    drawn = drawing.interval(
        scale, summary["value"], summary["ci95"], baseline=baseline, chance=chance
    )
    p = summary.get("p_adjusted", summary.get("p"))
    moved = element("span", figures.signed(spec, summary.get("delta")), class_=_class(tone))
    return {
        first: _values(summary["by"]) if summary["by"] else figures.name_of(spec),
        "on its scale": drawn,
        "value": figures.score(spec, summary["value"]),
        "95 % interval": figures.span(spec, summary["ci95"]),
        "rows": f"{n:,}" if n == expected else f"{n:,} of {expected:,}",
        "chance": figures.score(spec, chance),
        "baseline": figures.score(spec, baseline),
        "difference": moved if summary.get("delta") is not None else "-",
        "": _difference(summary, scale, tone, reach),
        "its interval": figures.span(spec, summary.get("delta_ci95"), sign=True),
        "p": figures.p_value(p),
    }


def _class(tone: int) -> str | None:
    return f"{_TONES[tone]}-text" if tone else None


def _values(by: Mapping[str, Any]) -> str:
    return ", ".join(map(str, by.values()))


def _reach(summary: Summary, scale: Scale) -> float:
    """How far the difference may be from 0, as a share of the scale."""
    bounds = summary.get("delta_ci95") or (0.0,)
    return max(map(abs, bounds)) / ((scale.high - scale.low) or 1.0)


def _difference(summary: Summary, scale: Scale, tone: int, reach: float) -> Html | str:
    """Drawn about 0, all lines of a table to one share of their scales."""
    bounds = summary.get("delta_ci95")
    if bounds is None:
        return "-"
    end = max(reach, _LEAST_REACH) * (scale.high - scale.low) or 1.0
    return drawing.interval(Scale(-end, end), summary["delta"], bounds, tone=_TONES[tone])


def _scale(summaries: Sequence[Summary]) -> Scale:
    """The metric's whole range; of an endless one what the summaries reach."""
    low, high = figures.ends_of(summaries[0]["metric"])
    numbers = [number for summary in summaries for number in _numbers(summary)]
    if not math.isfinite(low):
        low = min(numbers, default=0.0)
    if not math.isfinite(high):
        high = max(numbers, default=1.0) * 1.05
    return Scale(low, high)


def _numbers(summary: Summary) -> Iterator[float]:
    for key in ("value", "baseline", "chance"):
        if summary.get(key) is not None:
            yield summary[key]
    yield from summary["ci95"] or ()


def _key(summaries: Sequence[Summary]) -> Html:
    signs = {"dot": "value", "band": "95 % interval"}
    if "baseline" in summaries[0]:
        signs["before"] = "baseline"
    if any(summary["chance"] is not None for summary in summaries):
        signs["chance"] = "chance: the best answers that ignore the question"
    return drawing.key(signs)
