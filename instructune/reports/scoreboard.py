"""Scores as tables: each metric with its interval drawn, then its slices, then what was kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from instructune.forgetting import Fate
from instructune.gates import Verdict
from instructune.reports import drawing, figures
from instructune.reports.drawing import Scale
from instructune.reports.headlines import change
from instructune.reports.pages import Html, element, folded, heading, note, table

Summary = Mapping[str, Any]

MOST_SLICES = 60
_RIGHT = ("value", "95 % interval", "rows", "chance", "baseline", "difference", "its interval", "p")
_TONES = {1: "good", -1: "bad", 0: ""}


def gates(verdicts: Sequence[Verdict]) -> Iterator[Html]:
    """What each gate found."""
    if verdicts:
        yield heading("Gates")
        told = {"fired": "failed", "passed": "passed", "undecided": "not enough data"}
        yield table(
            [
                {
                    "gate": verdict.gate.name or verdict.gate.text,
                    "outcome": told[verdict.outcome],
                    "fails if": element("code", verdict.gate.text),
                    "found": ", ".join(map(str, verdict.findings)),
                    "why": verdict.gate.reason or "",
                }
                for verdict in verdicts
            ],
            name="cards",
        )


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
            lines = _lines(shown, [scale] * len(shown), first="slice")
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
        shown = sorted(of_field, key=lambda fate: fate["gained"] - fate["lost"])[:MOST_SLICES]
        yield table([_fate(field, fate) for fate in shown], right=("p",), name="cards")
        if more := len(of_field) - len(shown):
            yield note(f"and {more:,} more, which lost less or gained more")


def _fate(field: str, fate: Fate) -> dict[str, Any]:
    names = ("kept", "gained", "lost", "missed")
    parts = [(name, fate[name]) for name in names]
    p = fate.get("p_adjusted", fate["p"])
    return {
        field: str(fate["by"][field]),
        "": drawing.shares(parts, {"gained": "good", "lost": "bad", "missed": "empty"}),
        **{name: fate[name] for name in names},
        "rows": fate["n"],
        "p": figures.p_value(p),
    }


def _lines(
    summaries: Sequence[Summary], scales: Sequence[Scale], first: str = "metric"
) -> list[dict[str, Any]]:
    """The table's rows; columns that nobody fills are left out."""
    rows = [_line(s, scale, first) for s, scale in zip(summaries, scales, strict=True)]
    empty = [key for key in rows[0] if all(row.get(key, "-") == "-" for row in rows)]
    return [{key: value for key, value in row.items() if key not in empty} for row in rows]


def _line(summary: Summary, scale: Scale, first: str) -> dict[str, Any]:
    spec, n, expected = summary["metric"], summary["n"], summary["n_expected"]
    baseline, chance, tone = summary.get("baseline"), summary["chance"], change(summary)
    drawn = drawing.interval(
        scale, summary["value"], summary["ci95"], baseline=baseline, chance=chance
    )
    p = summary.get("p_adjusted", summary.get("p"))
    moved = element("span", figures.signed(spec, summary.get("delta")), class_=_class(tone))
    return {
        first: figures.place(summary["by"]) if first == "slice" else figures.name_of(spec),
        "on its scale": drawn,
        "value": figures.score(spec, summary["value"]),
        "95 % interval": figures.span(spec, summary["ci95"]),
        "rows": f"{n:,}" if n == expected else f"{n:,} of {expected:,}",
        "chance": figures.score(spec, chance),
        "baseline": figures.score(spec, baseline),
        "difference": moved if summary.get("delta") is not None else "-",
        "": _difference(summary, scale, tone),
        "its interval": figures.span(spec, summary.get("delta_ci95"), sign=True),
        "p": figures.p_value(p),
    }


def _class(tone: int) -> str | None:
    return f"{_TONES[tone]}-text" if tone else None


def _difference(summary: Summary, scale: Scale, tone: int) -> Html | str:
    bounds = summary.get("delta_ci95")
    if bounds is None:
        return "-"
    reach = scale.high - min(0.0, scale.low)
    return drawing.interval(Scale(-reach, reach), summary["delta"], bounds, tone=_TONES[tone])


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
    parts = [element("span", drawing.sign(sign), said) for sign, said in signs.items()]
    return element("div", *parts, class_="key")
