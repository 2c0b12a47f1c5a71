"""Runs the checks of a record on an answer: which constraints it breaks, and how."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from instructune.checks import checks as family
from instructune.errors import Exit, UserError, did_you_mean, usage
from instructune.records import Record
from instructune.segments import loosened

Test = Callable[[str], str | None]


def failures(
    answer: str | None,
    checks: Sequence[Mapping[str, Any]],
    record: Record,
    *,
    loose: bool = False,
) -> list[str]:
    """Why the answer fails, one text a failed check, `name: reason`; empty where it passes all.

    No answer (None on an error, or nothing but blanks) fails every check, and so does a check that
    does not exist or whose args are wrong. Loose forgives a line before or after the answer and
    asterisks; what passes without it passes with it. 69 where a check cannot run here.
    """
    found = ((item["check"], _failure(answer, item, record, loose)) for item in checks)
    return [f"{name}: {reason}" for name, reason in found if reason]


def _failure(
    answer: str | None, item: Mapping[str, Any], record: Record, loose: bool
) -> str | None:
    try:
        test = prepared(item, record)
    except UserError as error:
        if error.code is not Exit.USAGE:
            raise
        return f"{error.reason} ({error.hint})" if error.hint else error.reason
    if answer is None or not answer.strip():
        return "no answer"
    first = test(answer)
    if first is None or not loose:
        return first
    variants = (text for text in loosened(answer) if text.strip() and text != answer)
    return None if any(test(text) is None for text in variants) else first


def prepared(item: Mapping[str, Any], record: Record) -> Test:
    """One entry of `checks` as a function of the answer; exit code 2 where it makes no sense."""
    name = item["check"]
    module = family[name]
    kind = getattr(module, "Options", None)
    options = settle(kind, item.get("args", {}))
    return lambda answer: module.check(answer, record, options)


def settle(kind: type | None, args: Mapping[str, Any]) -> Any:
    """Build the dataclass `kind` from JSON values, checking each name and type."""
    if kind is None:
        if args:
            raise usage(f"takes no args, got {', '.join(map(str, args))}")
        return None
    fields, required = _fields(kind)
    for key, value in args.items():
        if key not in fields:
            raise usage(f"has no arg {key!r}", hint=did_you_mean(str(key), fields))
        if not _fits(value, fields[key]):
            raise usage(f"{key} must be {_spelt(fields[key])}, got {value!r}")
    for key in required:
        if key not in args:
            raise usage(f"needs the arg {key!r}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in args.items()})


@lru_cache(maxsize=256)
def _fields(kind: type) -> tuple[dict[str, Any], list[str]]:
    """The types of a dataclass's fields, and the names of those without a default."""
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    missing = dataclasses.MISSING
    needed = [f.name for f in fields if f.default is f.default_factory is missing]
    return {f.name: hints[f.name] for f in fields}, needed


def _fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of a type; true is no number, a whole number is a float too."""
    if isinstance(kind, types.UnionType):
        return any(_fits(value, arm) for arm in kind.__args__)
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return any(type(value) is type(choice) and value == choice for choice in kind.__args__)
    if origin is tuple:
        return isinstance(value, list) and all(_fits(v, kind.__args__[0]) for v in value)
    if origin is dict:
        return isinstance(value, dict)
    return type(value) in (int, float) if kind is float else type(value) is kind


def _spelt(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(_spelt(arm) for arm in kind.__args__ if arm is not type(None))
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return f"one of {', '.join(map(repr, kind.__args__))}"
    if origin is tuple:
        return f"a list of {_NAMES[kind.__args__[0]].partition(' ')[2]}s"
    return _NAMES[origin or kind]


_NAMES = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
}
