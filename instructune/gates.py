"""Gates: conditions on a summary, such as `exact_match.delta < 0 and exact_match.p < 0.05`.

    gate       = comparison { "and" comparison }
    comparison = METRIC [ "." STATISTIC ] [ "@" FIELD "=" VALUE ] OPERATOR NUMBER
    STATISTIC  = "value" | "low" | "high" | "delta" | "p"      (default: value)
    OPERATOR   = "<" | "<=" | ">" | ">=" | "==" | "!="

VALUE is quoted where it holds spaces or one of < > = !, METRIC where it bears options, as in
`"rouge_l:stemmer=true" < 0.3`; a bare name is enough where one metric asked for bears it.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from instructune.errors import UserError, did_you_mean, usage

STATISTICS = ("value", "low", "high", "delta", "p")
PAIRED = ("delta", "p")  # these need a baseline
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_METRIC = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z_][A-Za-z0-9_]*)")
_FIELD = re.compile(r"[^\s<>=!@]+")
_VALUE = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^\s<>=!\"']+)")
_OPERATOR = re.compile(r"[<>]=?|==|!=")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"\S+")


class Comparison(NamedTuple):
    """One statistic of one metric, overall or in the slice `field=value`, against a number."""

    metric: str
    statistic: str
    field: str | None
    value: str | None
    operator: str
    number: float

    def __str__(self) -> str:
        where = f"@{self.field}={self.value}" if self.field is not None else ""
        metric = f'"{self.metric}"' if ":" in self.metric else self.metric
        name = metric if self.statistic == "value" else f"{metric}.{self.statistic}"
        return f"{name}{where} {self.operator} {self.number:g}"


@dataclass(frozen=True)
class Gate:
    """A condition as typed, and its comparisons, which must all be true for it to fire."""

    text: str
    comparisons: tuple[Comparison, ...]


class Verdict(NamedTuple):
    """What a gate found: the number of each comparison, and whether the gate fired."""

    gate: Gate
    numbers: tuple[float, ...]
    fired: bool

    def __str__(self) -> str:
        found = ", ".join(f"{number:.6g}" for number in self.numbers)
        return f"{self.gate.text} is {str(self.fired).lower()}: {found}"


def parse(text: str, metrics: Iterable[str]) -> Gate:
    """Read a gate over the named metrics; a fault is a usage error that shows its column."""
    reader = _Reader(text)
    known = list(metrics)
    comparisons = [_comparison(reader, known)]
    while not reader.at_end():
        start = reader.position
        word = reader.take(_WORD, "'and' or the end")
        if word != "and":
            hint = "give --fail-if twice: it fires when either does" if word == "or" else None
            reader.fail("'and' or the end", start, hint)
        comparisons.append(_comparison(reader, known))
    return Gate(text.strip(), tuple(comparisons))


def _comparison(reader: _Reader, metrics: list[str]) -> Comparison:
    start = reader.skip()
    metric = reader.take(_METRIC, "the name of a metric")
    if (name := metric.partition(":")[0]) not in metrics:
        reader.fail("the name of a metric", start, did_you_mean(name, metrics))
    statistic, field, value = "value", None, None
    if reader.accept("."):
        start = reader.position
        statistic = reader.take(_NAME, f"one of {', '.join(STATISTICS)}")
        if statistic not in STATISTICS:
            hint = did_you_mean(statistic, STATISTICS)
            reader.fail(f"one of {', '.join(STATISTICS)}", start, hint)
    if reader.accept("@"):
        field = reader.take(_FIELD, "the name of a field")
        if not reader.accept("="):
            reader.fail("'=' and the value of the field", reader.position)
        value = reader.take(_VALUE, "the value of the field")
    sign = reader.take(_OPERATOR, f"one of {' '.join(OPERATORS)}")
    start = reader.skip()
    number = float(reader.take(_NUMBER, "a number"))
    if not math.isfinite(number):
        reader.fail("a finite number", start)
    return Comparison(metric, statistic, field, value, sign, number)


class _Reader:
    """A text and the place reached in it."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0

    def skip(self) -> int:
        """Pass over blanks; the position after them."""
        while self.text[self.position : self.position + 1].isspace():
            self.position += 1
        return self.position

    def at_end(self) -> bool:
        return self.skip() == len(self.text)

    def accept(self, sign: str) -> bool:
        """Pass over `sign` if it stands here, without blanks before it."""
        found = self.text.startswith(sign, self.position)
        self.position += len(sign) if found else 0
        return found

    def take(self, pattern: re.Pattern[str], what: str) -> str:
        """What `pattern` matches here, without its quotes."""
        start = self.skip()
        found = pattern.match(self.text, start)
        if not found:
            self.fail(what, start)
        self.position = found.end()
        return next((group for group in found.groups() if group is not None), found.group())

    def fail(self, what: str, position: int, hint: str | None = None) -> NoReturn:
        found = _WORD.match(self.text, position)
        got = repr(found.group()) if found else "the end"
        raise usage(
            f"expected {what} at column {position + 1}, got {got}\n"
            f"  {self.text}\n  {' ' * position}^",
            where="--fail-if",
            hint=hint,
        )


def check(gate: Gate, *, by: Sequence[str], baseline: bool) -> None:
    """Refuse a gate that the settings cannot answer: a slice not made, a delta without pair."""
    for comparison in gate.comparisons:
        if comparison.field is not None and comparison.field not in by:
            raise usage(
                f"{comparison} is about a slice that is not made",
                where="--fail-if",
                hint=f"add --by {comparison.field}",
            )
        if comparison.statistic in PAIRED and not baseline:
            raise usage(
                f"{comparison.metric}.{comparison.statistic} compares with a baseline",
                where="--fail-if",
                hint="name it with --baseline FILE",
            )


def judge(gate: Gate, summaries: Sequence[Mapping[str, Any]]) -> Verdict:
    """Compare with the summaries; a number that is not there is an error, never a pass."""
    numbers = tuple(_number(comparison, summaries) for comparison in gate.comparisons)
    pairs = zip(gate.comparisons, numbers, strict=True)
    return Verdict(gate, numbers, all(OPERATORS[c.operator](n, c.number) for c, n in pairs))


def _number(comparison: Comparison, summaries: Sequence[Mapping[str, Any]]) -> float:
    summary = _summary(comparison, summaries)
    if comparison.statistic in ("low", "high"):
        found = summary["ci95"] and summary["ci95"][comparison.statistic == "high"]
    else:
        found = summary[comparison.statistic]
    if found is None:
        raise UserError("every row it needs is an error", where=f"--fail-if: {comparison}")
    return found


def _summary(comparison: Comparison, summaries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    of_metric = [s for s in summaries if s["metric"] == comparison.metric]
    if comparison.field is None:
        return next(s for s in of_metric if s["by"] is None)
    slices = {
        spelled(s["by"][comparison.field]): s
        for s in of_metric
        if s["by"] and comparison.field in s["by"]
    }
    if comparison.value not in slices:
        raise UserError(
            f"no row has {comparison.field}={comparison.value}",
            where=f"--fail-if: {comparison}",
            hint=did_you_mean(str(comparison.value), slices),
        )
    return slices[comparison.value]


def spelled(value: Any) -> str:
    """A slice's value as a gate names it: a string as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
