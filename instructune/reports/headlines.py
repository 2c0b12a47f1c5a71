"""The verdict on a run in a sentence, by rules, from its summaries and gates.

It is about the first metric that was asked for, or the first of those that were chosen, over all
rows. In this order: a gate failed; no score; not enough data; a comparison with the baseline, or
without one with chance. Better or worse needs both a p-value (adjusted, where there are several)
below 5 % and an interval of the difference without 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from instructune.evaluating.gates import Verdict
from instructune.evaluating.measuring import Metric
from instructune.reports import figures

Summary = Mapping[str, Any]

ALPHA = 0.05
FEWEST = 6  # with five units no paired test can reach 5 %: 2 * 0.5**5 is 6 %
POINTS = 2  # a difference worth finding, in hundredths of the scale
GATE = "Gate failed"
_MOST = 5  # caveats of a kind


class Headline(NamedTuple):
    """The verdict in a word and a sentence, its tone (good, bad or none), and what else to know."""

    word: str
    tone: str
    sentence: str
    more: list[str]

    def __str__(self) -> str:
        return f"{self.word}: {self.sentence}"


def headline(
    summaries: Sequence[Summary], verdicts: Sequence[Verdict], undecided: str = "pass"
) -> Headline:
    """The verdict; `undecided` says whether a gate that cannot tell passes or fails."""
    word, tone, sentence = _finding(summaries[0])
    more = [*_told_gates(verdicts, undecided), *_elsewhere(summaries, word), *_gaps(summaries[0])]
    failed = [verdict for verdict in verdicts if verdict.fails(undecided)]
    if not failed:
        return Headline(word, tone, sentence, more)
    reasons = "; ".join(map(_gate, failed))
    counted = "" if len(verdicts) == 1 else f"{len(failed)} of {len(verdicts)} gates: "
    return Headline(GATE, "bad", f"{counted}{reasons}.", [f"{word}: {sentence}", *more])


def _finding(summary: Summary) -> tuple[str, str, str]:
    n, named = figures.units(summary)
    name = figures.name_of(summary["metric"])
    if summary["value"] is None:
        return "No score", "bad", f"{name} is undefined on these {summary['n']:,} rows."
    if n < FEWEST or summary["ci95"] is None:
        said = figures.score(summary["metric"], summary["value"], 2)
        few = f"{n:,} {named} cannot show a difference" if n < FEWEST else "it has no interval"
        return "Not enough data", "none", f"{name} is {said}, but {few}."
    if "baseline" not in summary:
        return _by_itself(summary)
    if summary["delta_ci95"] is None or summary["p"] is None:
        return "Not enough data", "none", f"the difference in {name} has no interval."
    return _compared(summary)


def _compared(summary: Summary) -> tuple[str, str, str]:
    spec, name = summary["metric"], figures.name_of(summary["metric"])
    n, named = figures.units(summary)
    before, after = figures.scores(spec, summary["baseline"], summary["value"])
    if direction := change(summary):
        moved = "rose" if summary["delta"] > 0 else "fell"
        low, high = figures.scores(spec, *summary["delta_ci95"])
        return (
            "Better" if direction > 0 else "Worse",
            "good" if direction > 0 else "bad",
            f"{name} {moved} from {before} to {after} (95 % interval of the difference "
            f"{low} to {high}, {_p(summary)}, {n:,} {named}).",
        )
    paired = (summary.get("details") or {}).get("paired") or {}
    if summary["delta"] == 0 and paired.get("gained", 1) == paired.get("lost", 1) == 0:
        return "Unchanged", "none", f"{name} is {after} before and after, the same row by row."
    low, high = figures.scores(spec, *summary["delta_ci95"])
    return (
        f"No difference that {n:,} {named} can show",
        "none",
        f"{name} is {after}, and {before} before (95 % interval of the difference {low} to "
        f"{high}, {_p(summary)}). {_outlook(summary, paired, n, named)}".strip(),
    )


def change(summary: Summary) -> int:
    """1 for better, -1 for worse, 0 for what the data cannot tell."""
    bounds, p = summary.get("delta_ci95"), summary.get("p_adjusted", summary.get("p"))
    if bounds is None or p is None or p >= ALPHA or bounds[0] <= 0 <= bounds[1]:
        return 0
    return 1 if (summary["delta"] > 0) == Metric(summary["metric"]).HIGHER_IS_BETTER else -1


def _p(summary: Summary) -> str:
    p, adjusted = summary["p"], summary.get("p_adjusted", summary["p"])
    said = figures.p_value(adjusted)
    name = "p" if adjusted == p else "adjusted p"
    return f"{name} {said}" if said.startswith("<") else f"{name} = {said}"


def _outlook(summary: Summary, paired: Mapping[str, Any], n: int, named: str) -> str:
    """How many units would show a difference worth finding, 8 times in 10."""
    least, point = paired.get("detectable"), figures.point(summary["metric"])
    if least is None:
        return ""
    if math.isnan(point):
        shown = figures.score(summary["metric"], least)
        return f"A true difference of {shown} would be found 8 times in 10."
    needed = math.ceil(n * (least / (POINTS * point)) ** 2)
    if needed <= n:
        return f"One of {POINTS} points would most likely have shown."
    return f"To detect {POINTS} points you need about {_rounded(needed):,} {named}."


def _rounded(number: int) -> int:
    """Two digits that count, up: more would say that the guess is exact."""
    step = 10 ** max(0, len(str(number)) - 2)
    return math.ceil(number / step) * step


def _by_itself(summary: Summary) -> tuple[str, str, str]:
    """Without a baseline a score is compared with answers that ignore the question."""
    spec, name = summary["metric"], figures.name_of(summary["metric"])
    n, named = figures.units(summary)
    (value,) = figures.scores(spec, summary["value"])
    bounds = " to ".join(figures.scores(spec, *summary["ci95"]))
    said = f"{name} is {value} (95 % interval {bounds}, {n:,} {named})"
    if summary["chance"] is None:
        return "Scored", "none", f"{said}."
    level = figures.score(spec, summary["chance"], 2)
    chance = f"answers that ignore the question reach {level}"
    low, high = (bound - summary["chance"] for bound in summary["ci95"])
    if low <= 0 <= high:
        return "No better than chance", "bad", f"{said}; {chance}."
    if (low > 0) == Metric(spec).HIGHER_IS_BETTER:
        return "Better than chance", "good", f"{said}; {chance}."
    return "Worse than chance", "bad", f"{said}; {chance}."


def _gate(verdict: Verdict) -> str:
    found = ", ".join(map(str, verdict.findings))
    name = f"{verdict.gate.name} ({verdict.gate.text})" if verdict.gate.name else verdict.gate.text
    reason = f", {verdict.gate.reason}" if verdict.gate.reason else ""
    unsure = " cannot be decided with these data" if verdict.outcome == "undecided" else ""
    return f"{name}{unsure}, found {found}{reason}"


def _told_gates(verdicts: Sequence[Verdict], undecided: str) -> list[str]:
    """Gates that failed nobody."""
    unsure = [v for v in verdicts if v.outcome == "undecided" and not v.fails(undecided)]
    told = [f"Not enough data for a gate: {_gate(verdict)}." for verdict in unsure]
    passed = sum(verdict.outcome == "passed" for verdict in verdicts)
    if passed:
        told.append(f"{passed} of {len(verdicts)} {_plural(len(verdicts), 'gate')} passed.")
    return told


def _elsewhere(summaries: Sequence[Summary], word: str) -> list[str]:
    """Metrics and slices that went the other way than the headline: they got worse, or better."""
    first = summaries[0]
    wanted = (1,) if word == "Worse" else (-1,) if word == "Better" else (-1, 1)
    told = []
    for summary in summaries[1:]:
        if (summary["by"] and summary["metric"] != first["metric"]) or change(
            summary
        ) not in wanted:
            continue
        word, _, sentence = _finding(summary)
        where = f" where {figures.place(summary['by'])}" if summary["by"] else ""
        told.append(f"{word}{where}: {sentence}")
    rest = [f"… and {len(told) - _MOST} more of the kind."] if len(told) > _MOST else []
    return told[:_MOST] + rest


def _gaps(summary: Summary) -> list[str]:
    n, missing = summary["n"], summary["n_expected"] - summary["n"]
    told = []
    if missing:
        told.append(f"{missing:,} of {summary['n_expected']:,} predictions are missing.")
    if errors := summary["n_errors"]:
        told.append(f"{errors:,} of {n:,} {_plural(n, 'answer')} are errors and count as wrong.")
    return told


def _plural(number: int, name: str) -> str:
    return name if number == 1 else f"{name}s"
