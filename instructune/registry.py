"""Families of plug-ins: one file each, named after the plug-in, read without importing it."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import math
import re
import types
import typing
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from instructune.errors import Told, did_you_mean, usage

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Family:
    """The plug-ins of one package: `metrics["token_f1"]` imports `metrics/token_f1.py`."""

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self.folder = Path(__file__).parent / package.rpartition(".")[2]
        self._modules: dict[str, ModuleType] = {}
        self._trees: dict[str, ast.Module] = {}

    @cached_property
    def _names(self) -> list[str]:
        return sorted(p.stem for p in self.folder.glob("*.py") if not p.stem.startswith("_"))

    def names(self) -> list[str]:
        """The names of all plug-ins, from file names alone."""
        return list(self._names)

    def __getitem__(self, name: str) -> ModuleType:
        if name not in self._modules:
            if name not in self._names:
                raise usage(f"unknown {self.kind} {name!r}", hint=did_you_mean(name, self._names))
            self._modules[name] = importlib.import_module(f"{self.package}.{name}")
        return self._modules[name]

    def summary(self, name: str) -> str:
        """The first line of the plug-in's docstring: its line in help texts and the README."""
        return (ast.get_docstring(self._tree(name)) or "").partition("\n")[0]

    def facts(self, name: str) -> dict[str, Any]:
        """Literal upper-case constants of the plug-in, such as `MERGES = True`."""
        found = {}
        for node in self._tree(name).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                key = node.targets[0].id
                if key.isupper():
                    try:
                        found[key] = ast.literal_eval(node.value)
                    except ValueError:
                        continue
        return found

    def help(self, name: str) -> str:
        """The docstrings of a plug-in and of its options, and each option with its default."""
        options = getattr(self[name], "Options", None)
        told = described(options) if options else "It takes no options."
        return f"{self.kind} {name}: {inspect.getdoc(self[name]) or ''}\n\n{told}"

    def _tree(self, name: str) -> ast.Module:
        if name not in self._trees:
            text = (self.folder / f"{name}.py").read_text(encoding="utf-8")
            self._trees[name] = ast.parse(text)
        return self._trees[name]

    def configure(self, spec: str) -> tuple[str, ModuleType, Any]:
        """Take `NAME[:key=value,…]` apart: the name, its module, and its `Options` filled in.

        A comma or plus sign that belongs to a value is written `\\,` or `\\+`. `NAME:help` raises
        what there is to know of the plug-in.
        """
        name, _, rest = spec.partition(":")
        module = self[name]
        if rest.strip() == "help":
            raise Told(self.help(name))
        given: dict[str, str] = {}
        for pair in filter(None, _split(rest, ",")):
            key, sign, value = (part.strip() for part in pair.partition("="))
            if not sign:
                raise usage(f"{spec!r}: expected key=value, got {pair!r}")
            if key in given:
                raise usage(f"{spec!r}: {key!r} is given twice")
            given[key] = value
        options = getattr(module, "Options", None)
        if options is None:
            if given:
                raise usage(f"{self.kind} {name!r} takes no options, got {', '.join(given)}")
            return name, module, None
        return name, module, fill(options, given, f"{self.kind} {name!r}")


def described(options: type) -> str:
    """The docstring of a dataclass of options, then each with its type and default."""
    hints = typing.get_type_hints(options)
    fields = dataclasses.fields(options)
    width = max(len(field.name) for field in fields)
    lines = [f"  {f.name:<{width}}  {_kind(hints[f.name])}{_default(f)}" for f in fields]
    return "\n\n".join([inspect.getdoc(options) or "", "\n".join(lines)])


def _kind(kind: Any) -> str:
    """What a value of an option is, in words."""
    if isinstance(kind, types.UnionType):
        kind = next(arm for arm in kind.__args__ if arm is not type(None))
    if typing.get_origin(kind) in (list, tuple):
        return f"{_kind(typing.get_args(kind)[0])}, several joined by +"
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(str(arm) for arm in typing.get_args(kind) if arm != "")
    if typing.get_origin(kind) is dict:
        return "object"
    words = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return words.get(kind, str(kind))


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is field.default_factory is dataclasses.MISSING:
        return "; must be given"
    if field.default in (None, (), "", dataclasses.MISSING):
        return ""
    return f"; default {_spelled(field.default)}"


def _split(text: str, mark: str) -> list[str]:
    """The parts of `text` between marks that no backslash escapes."""
    parts = re.split(rf"(?<!\\){re.escape(mark)}", text)
    return [part.replace(f"\\{mark}", mark) for part in parts]


def spelled(name: str, options: dict[str, Any]) -> str:
    """`NAME:key=value,…` as `configure` takes it apart again."""
    pairs = (f"{key}={_spelled(value)}".replace(",", "\\,") for key, value in options.items())
    return ":".join(filter(None, (name, ",".join(pairs))))


def respelled(spec: str, options: dict[str, Any]) -> str:
    """`NAME[:key=value,…]` with these options instead of its own, or beside them."""
    name, _, rest = spec.partition(":")
    pairs = (pair.partition("=") for pair in filter(None, _split(rest, ",")))
    given = {key.strip(): value.strip() for key, _, value in pairs}
    return spelled(name, given | options)


def _spelled(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "+".join(_spelled(item).replace("+", "\\+") for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def fill(options: type, given: dict[str, str], where: str) -> Any:
    """Build the dataclass `options` from texts, checking each name and type."""
    hints = typing.get_type_hints(options)
    fields = {field.name: field for field in dataclasses.fields(options)}
    for key in given:
        if key not in fields:
            raise usage(f"{where} has no option {key!r}", hint=did_you_mean(key, fields))
    for name, field in fields.items():
        required = field.default is field.default_factory is dataclasses.MISSING
        if required and name not in given:
            raise usage(f"{where} needs the option {name!r}")
    return options(**{k: convert(v, hints[k], f"{where}: {k}") for k, v in given.items()})


def convert(text: str, kind: Any, where: str) -> Any:
    """Turn `text` into `kind`: int, finite float, bool, str, or a tuple written `a+b`."""
    if isinstance(kind, types.UnionType):
        kind = next(arm for arm in kind.__args__ if arm is not type(None))
    if typing.get_origin(kind) in (list, tuple):
        item = typing.get_args(kind)[0]
        return tuple(convert(part, item, where) for part in _split(text, "+") if part)
    if typing.get_origin(kind) is typing.Literal:
        if text not in (choices := typing.get_args(kind)):
            raise usage(f"{where} cannot be {text!r}", hint=did_you_mean(text, choices))
        return text
    try:
        value = _TRUTH[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        name = getattr(kind, "__name__", str(kind))
        raise usage(f"{where} must be {name}, got {text!r}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise usage(f"{where} must be a finite number, got {text!r}")
    return value
