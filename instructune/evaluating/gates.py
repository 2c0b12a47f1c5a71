"""Gates: conditions on the summaries that decide a run, and what they found.

A gate fires, passes, or is undecided: a comparison with `surely` whose interval holds the
threshold. In a condition of several comparisons one that is false decides, then one undecided.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from instructune.errors import UserError, did_you_mean, usage
from instructune.evaluating.conditions import INTERVALS, OPERATORS, PAIRED, Comparison, Gate
from instructune.evaluating.measuring import Metric
from instructune.settings import read_toml

KEYS = ("fail-if", "name", "reason")
_BOUNDS = {
    "low": ("ci95", 0),
    "high": ("ci95", 1),
    "delta_low": ("delta_ci95", 0),
    "delta_high": ("delta_ci95", 1),
}


class Finding(NamedTuple):
    """What a comparison found: the number, the interval if it decides, and the outcome."""

    number: float
    interval: tuple[float, float] | None
    holds: bool | None  # None: not enough data to tell

    def __str__(self) -> str:
        number = f"{self.number:.6g}"
        if not self.interval:
            return number
        return f"{number} in {self.interval[0]:.6g} .. {self.interval[1]:.6g}"


class Verdict(NamedTuple):
    """What a gate found: a finding of each comparison, and the outcome of all."""

    gate: Gate
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> str:
        """`fired`, `passed` or `undecided`."""
        held = [finding.holds for finding in self.findings]
        if False in held:
            return "passed"
        return "undecided" if None in held else "fired"

    @property
    def fired(self) -> bool:
        """Whether the condition holds."""
        return self.outcome == "fired"

    def fails(self, undecided: str) -> bool:
        """Whether the run fails by it; `undecided` says pass or fail for gates that cannot tell."""
        return self.fired or (self.outcome, undecided) == ("undecided", "fail")

    def __str__(self) -> str:
        told = {"fired": "true", "passed": "false", "undecided": "undecided, too few data"}
        found = ", ".join(map(str, self.findings))
        name = f"{self.gate.name}: " if self.gate.name else ""
        reason = f" ({self.gate.reason})" if self.gate.reason else ""
        return f"{name}{self.gate.text} is {told[self.outcome]}: {found}{reason}"

    def as_dict(self) -> dict[str, Any]:
        """The verdict for the report."""
        return {
            "gate": self.gate.text,
            "name": self.gate.name,
            "reason": self.gate.reason,
            "verdict": self.outcome,
            "numbers": [finding.number for finding in self.findings],
            "intervals": [finding.interval for finding in self.findings],
        }


class Written(NamedTuple):
    """A gate of a file, not yet read: its text, name and reason, and its place."""

    text: str
    name: str | None
    reason: str | None
    where: str


def read_gates(file: str) -> list[Written]:
    """The gates of a TOML file: `fail-if = [EXPR, …]`, and `[[gate]]` tables.

    A table holds `fail-if`, and if wanted a `name` and a `reason`.
    """
    settings = read_toml(file)
    _check_keys(settings, ("fail-if", "gate"), file)
    texts, tables = settings.get("fail-if", []), settings.get("gate", [])
    if not isinstance(texts, list) or not isinstance(tables, list) or not (texts or tables):
        raise usage(
            "holds no gates", where=file, hint='write fail-if = ["EXPR", …] or [[gate]] tables'
        )
    found = [{"fail-if": text} for text in texts] + tables
    return [_written(table, f"{file}: gate {i}") for i, table in enumerate(found, 1)]


def _written(table: Any, where: str) -> Written:
    if not isinstance(table, dict):
        raise usage("must be a table", where=where)
    _check_keys(table, KEYS, where)
    for key in KEYS:
        if not isinstance(table.get(key, ""), str):
            raise usage(f"{key} must be a text, got {table[key]!r}", where=where)
    if "fail-if" not in table:
        raise usage("has no fail-if", where=where)
    return Written(table["fail-if"], table.get("name"), table.get("reason"), where)


def _check_keys(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise usage(f"unknown key {key!r}", where=where, hint=did_you_mean(key, known))


def _check_threshold(comparison: Comparison) -> None:
    """Refuse a threshold that decides alone, such as 50 where a share lies from 0 to 1."""
    low, high = Metric(comparison.metric).RANGE
    if comparison.statistic.startswith("delta"):
        low, high = low - high, high - low
    elif comparison.statistic.startswith("p"):
        low, high = 0.0, 1.0
    elif comparison.statistic.startswith("n"):
        return
    compare, threshold = OPERATORS[comparison.operator], comparison.number
    outcomes = {compare(end, threshold) for end in (low, high)}
    if len(outcomes) > 1 or (comparison.operator in ("==", "!=") and low < threshold < high):
        return
    raise usage(
        f"{comparison} is {'true' if outcomes.pop() else 'false'} whatever comes out: "
        f"{comparison.metric}.{comparison.statistic} lies from {low:g} to {high:g}",
        where="--fail-if",
    )


def check(gate: Gate, *, by: Sequence[Sequence[str]], baseline: bool, adjust: str) -> None:
    """Refuse a gate that nothing computed can answer: a slice not made, a delta without pair."""
    made = [set(fields) for fields in by]
    for comparison in gate.comparisons:
        _check_threshold(comparison)
        fields = [field for field, _ in comparison.slice]
        if fields and set(fields) not in made:
            raise usage(
                f"{comparison} is about a slice that is not made",
                where="--fail-if",
                hint=f"add --by {','.join(fields)}",
            )
        if comparison.statistic in PAIRED and not baseline:
            raise usage(
                f"{comparison.metric}.{comparison.statistic} compares with a baseline",
                where="--fail-if",
                hint="name it with --baseline FILE",
            )
        if comparison.statistic == "p_adjusted" and adjust == "none":
            raise usage("p_adjusted is left out by --adjust none", where="--fail-if")


def judge(gate: Gate, summaries: Sequence[Mapping[str, Any]]) -> Verdict:
    """Compare with the summaries; a number that is not there is an error, never a pass."""
    return Verdict(gate, tuple(_finding(c, _summary(c, summaries)) for c in gate.comparisons))


def _finding(comparison: Comparison, summary: Mapping[str, Any]) -> Finding:
    compare, threshold = OPERATORS[comparison.operator], comparison.number
    if comparison.statistic in _BOUNDS:
        field, side = _BOUNDS[comparison.statistic]
        number = _present(comparison, summary.get(field))[side]
    else:
        number = _present(comparison, summary.get(comparison.statistic))
    if not comparison.surely:
        return Finding(number, None, compare(number, threshold))
    low, high = _present(comparison, summary.get(INTERVALS[comparison.statistic]))
    ends = {compare(low, threshold), compare(high, threshold)}
    return Finding(number, (low, high), ends.pop() if len(ends) == 1 else None)


def _present(comparison: Comparison, found: Any) -> Any:
    if found is None:
        raise UserError(
            "every row it needs is an error, or the metric is undefined there",
            where=f"--fail-if: {comparison}",
        )
    return found


def _summary(comparison: Comparison, summaries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    of_metric = [s for s in summaries if s["metric"] == comparison.metric]
    wanted = dict(comparison.slice)
    if not wanted:
        return next(s for s in of_metric if s["by"] is None)
    slices = {
        _place({field: spelled(s["by"][field]) for field in wanted}): s
        for s in of_metric
        if s["by"] and s["by"].keys() == wanted.keys()
    }
    if _place(wanted) not in slices:
        raise UserError(
            f"no row has {_place(wanted)}",
            where=f"--fail-if: {comparison}",
            hint=did_you_mean(_place(wanted), slices),
        )
    return slices[_place(wanted)]


def _place(fields: Mapping[str, str]) -> str:
    return ",".join(f"{field}={value}" for field, value in fields.items())


def spelled(value: Any) -> str:
    """A slice's value as a gate names it: a string as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
