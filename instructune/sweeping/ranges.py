"""The table `[search]` of a sweep's file: ranges and lists of values in, a space out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from instructune.configs import TrainConfig
from instructune.errors import did_you_mean, usage
from instructune.settings import coerced
from instructune.sweeping.space import FAMILIES, Parameter, Space

_RANGE = {"low", "high", "log", "step", "points"}
_FIXED = {
    *("data", "eval_data", "format", "field", "bad_rows", "rejects"),  # what trials compare on
    *("output", "resume", "overwrite", "dry_run", "threads", "track"),
}


def read_space(train: dict[str, Any], table: Mapping[str, Any], where: str) -> Space:
    """The space in the table `[search]` of a file that `where` names."""
    found = [_parameter(name, value, where) for name, value in _flat(table).items()]
    if not found:
        raise usage("has nothing to search", where=f"{where}: search")
    # what a plug-in's options depend on is chosen before them
    space = Space(train, tuple(sorted(found, key=lambda parameter: bool(parameter.key))))
    space.check(where)
    return space


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """`[search.method] rank = …` as `method.rank`; a table with `low` is a range."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        is_group = isinstance(value, dict) and not value.keys() & (_RANGE | {"values"})
        inner = (
            {f"{name}.{key}": item for key, item in value.items()} if is_group else {name: value}
        )
        for key, item in inner.items():
            found[key.replace("-", "_")] = item
    return found


def _parameter(name: str, value: Any, where: str) -> Parameter:
    place = f"{where}: search.{name}"
    kinds = {field.name: str(field.type) for field in fields(TrainConfig)}
    head, _, key = name.partition(".")
    if head not in kinds or head in _FIXED:
        hint = did_you_mean(head, kinds.keys() - _FIXED)
        reason = "cannot be searched" if head in _FIXED else "is no option of train"
        raise usage(reason, where=place, hint=hint if head not in _FIXED else None)
    if key and head not in FAMILIES:
        raise usage(f"{head} has no options of its own", where=place)
    kind = "" if key else kinds[head].removesuffix(" | None")
    values = value.get("values") if isinstance(value, dict) and "values" in value else value
    if isinstance(values, list):
        if isinstance(value, dict) and value.keys() != {"values"}:
            raise usage("has both values and a range", where=place)
        return Parameter(name, _choices(values, kind, place))
    if not isinstance(value, dict):
        raise usage("expected a list of values, or low and high", where=place)
    return _range(name, value, kind, place)


def _choices(values: Sequence[Any], kind: str, where: str) -> tuple[Any, ...]:
    if not values:
        raise usage("has no values", where=where)
    found = [coerced(value, kind, where) if kind else value for value in values]
    if any(not isinstance(value, str | int | float) for value in found):
        raise usage("values are texts, numbers, true or false", where=where)
    if len(set(found)) < len(found):
        raise usage("has a value twice", where=where)
    return tuple(found)


def _range(name: str, value: Mapping[str, Any], kind: str, where: str) -> Parameter:
    for key in value:
        if key not in _RANGE:
            raise usage(f"has no {key!r}", where=where, hint=did_you_mean(key, _RANGE | {"values"}))
    low, high, step = (value.get(key) for key in ("low", "high", "step"))
    numbers: list[Any] = [low, high] + ([step] if step is not None else [])
    if any(isinstance(x, bool) or not isinstance(x, int | float) for x in numbers):
        raise usage("low, high and step are numbers", where=where)
    if not all(math.isfinite(x) for x in numbers):
        raise usage("low, high and step are finite", where=where)
    if kind not in ("", "int", "float"):
        raise usage("takes no numbers; list its values", where=where)
    if kind == "float" or (not kind and any(isinstance(x, float) for x in numbers)):
        low, high, step = (None if x is None else float(x) for x in (low, high, step))
    elif kind == "int" and any(isinstance(x, float) for x in numbers):
        raise usage("takes whole numbers", where=where)
    log, points = value.get("log", False), value.get("points")
    _check_range(low, high, step, log, points, where)
    return Parameter(name, (), low, high, log, step, points)  # type: ignore[arg-type]


def _check_range(low: Any, high: Any, step: Any, log: Any, points: Any, where: str) -> None:
    if not low < high:
        raise usage(f"low must be less than high, got {low} and {high}", where=where)
    if not isinstance(log, bool):
        raise usage("log is true or false", where=where)
    if log and low <= 0:
        raise usage("a range by ratio begins above 0", where=where)
    if step is not None and (log or not 0 < step <= high - low):
        reason = "a range by ratio has no step" if log else f"step must fit into it, got {step}"
        raise usage(reason, where=where)
    if points is not None:
        if type(points) is not int or not 2 <= points <= 10_000:
            raise usage("points must be a whole number from 2 to 10000", where=where)
        if step is not None:
            raise usage("has both step and points", where=where)
