"""Conditions of gates, such as `exact_match.delta < -0.02 surely and f1@task=qa < 0.8`.

    gate       = comparison { "and" comparison }
    comparison = METRIC [ "." STATISTIC ] [ "@" FIELD "=" VALUE { "," FIELD "=" VALUE } ]
                 OPERATOR NUMBER [ "surely" ]
    STATISTIC  = "value" | "low" | "high" | "delta" | "delta_low" | "delta_high"
               | "p" | "p_adjusted" | "n" | "n_errors"      (default: value)
    OPERATOR   = "<" | "<=" | ">" | ">=" | "==" | "!="

`surely` is for value and delta: it decides on the 95 % interval instead of the number, and where
the interval holds the number on both sides of the threshold, the data cannot tell.
VALUE is quoted where it holds spaces or one of < > = ! and the comma, METRIC where it bears
options, as in `"rouge_l:stemmer=true" < 0.3`; a bare name is enough where one metric asked for
bears it.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from instructune.errors import did_you_mean, usage

INTERVALS = {"value": "ci95", "delta": "delta_ci95"}  # what `surely` looks at
PAIRED = ("delta", "delta_low", "delta_high", "p", "p_adjusted")  # these need a baseline
STATISTICS = ("value", "low", "high", *PAIRED, "n", "n_errors")
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
_FIELD = re.compile(r"[^\s<>=!@,]+")
_VALUE = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^\s<>=!,\"']+)")
_OPERATOR = re.compile(r"[<>]=?|==|!=")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"\S+")


class Comparison(NamedTuple):
    """One statistic of one metric, overall or in a slice of fields' values, against a number."""

    metric: str
    statistic: str
    slice: tuple[tuple[str, str], ...]
    operator: str
    number: float
    surely: bool = False

    def __str__(self) -> str:
        where = ",".join(f"{field}={value}" for field, value in self.slice)
        metric = f'"{self.metric}"' if ":" in self.metric else self.metric
        name = metric if self.statistic == "value" else f"{metric}.{self.statistic}"
        place = f"@{where}" if where else ""
        sure = " surely" if self.surely else ""
        return f"{name}{place} {self.operator} {self.number:g}{sure}"


@dataclass(frozen=True)
class Gate:
    """A condition as typed, and its comparisons, which must all be true for it to fire."""

    text: str
    comparisons: tuple[Comparison, ...]
    name: str | None = None
    reason: str | None = None


def parse(text: str, metrics: Iterable[str], where: str = "--fail-if") -> Gate:
    """Read a gate over the named metrics; a fault is a usage error that shows its column."""
    reader = _Reader(text, where)
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
    statistic = "value"
    if reader.accept("."):
        start = reader.position
        statistic = reader.take(_NAME, f"one of {', '.join(STATISTICS)}")
        if statistic not in STATISTICS:
            hint = did_you_mean(statistic, STATISTICS)
            reader.fail(f"one of {', '.join(STATISTICS)}", start, hint)
    fields = _slice(reader) if reader.accept("@") else ()
    if reader.accept(":"):
        hint = "quote a metric with options: '\"rouge_l:stemmer=true\" < 0.3'"
        reader.fail(f"one of {' '.join(OPERATORS)}", reader.position - 1, hint)
    sign = reader.take(_OPERATOR, f"one of {' '.join(OPERATORS)}")
    start = reader.skip()
    number = float(reader.take(_NUMBER, "a number"))
    if not math.isfinite(number):
        reader.fail("a finite number", start)
    start = reader.skip()
    surely = reader.accept("surely")
    if surely and (statistic not in INTERVALS or sign in ("==", "!=")):
        reader.fail(
            "'and' or the end", start, "surely goes with value or delta and one of < <= > >="
        )
    return Comparison(metric, statistic, fields, sign, number, surely)


def _slice(reader: _Reader) -> tuple[tuple[str, str], ...]:
    pairs: dict[str, str] = {}
    while not pairs or reader.accept(","):
        start = reader.position
        field = reader.take(_FIELD, "the name of a field")
        if field in pairs:
            reader.fail("another field", start)
        if not reader.accept("="):
            reader.fail("'=' and the value of the field", reader.position)
        pairs[field] = reader.take(_VALUE, "the value of the field")
    return tuple(pairs.items())


class _Reader:
    """A text and the place reached in it."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where, self.position = text, where, 0

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
            where=self.where,
            hint=hint,
        )
