"""Families of plug-ins: one file each, named after the plug-in, read without importing it."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import types
import typing
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from instructune.errors import did_you_mean, usage

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Family:
    """The plug-ins of one package: `metrics["token_f1"]` imports `metrics/token_f1.py`."""

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self.folder = Path(__file__).parent / package.rpartition(".")[2]

    def names(self) -> list[str]:
        """The names of all plug-ins, from file names alone."""
        return sorted(p.stem for p in self.folder.glob("*.py") if not p.stem.startswith("_"))

    def __getitem__(self, name: str) -> ModuleType:
        if name not in self.names():
            raise usage(f"unknown {self.kind} {name!r}", hint=did_you_mean(name, self.names()))
        return importlib.import_module(f"{self.package}.{name}")

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

    @cache  # noqa: B019  a handful of families live as long as the process
    def _tree(self, name: str) -> ast.Module:
        return ast.parse((self.folder / f"{name}.py").read_text(encoding="utf-8"))

    def configure(self, spec: str) -> tuple[str, ModuleType, Any]:
        """Take `NAME[:key=value,…]` apart: the name, its module, and its `Options` filled in."""
        name, _, rest = spec.partition(":")
        module = self[name]
        given = {}
        for pair in filter(None, rest.split(",")):
            key, sign, value = pair.partition("=")
            if not sign:
                raise usage(f"{spec!r}: expected key=value, got {pair!r}")
            given[key.strip()] = value.strip()
        options = getattr(module, "Options", None)
        if options is None:
            if given:
                raise usage(f"{self.kind} {name!r} takes no options, got {', '.join(given)}")
            return name, module, None
        return name, module, fill(options, given, f"{self.kind} {name!r}")


def fill(options: type, given: dict[str, str], where: str) -> Any:
    """Build the dataclass `options` from texts, checking each name and type."""
    hints = typing.get_type_hints(options)
    names = [field.name for field in dataclasses.fields(options)]
    for key in given:
        if key not in names:
            raise usage(f"{where} has no option {key!r}", hint=did_you_mean(key, names))
    return options(**{k: convert(v, hints[k], f"{where}: {k}") for k, v in given.items()})


def convert(text: str, kind: Any, where: str) -> Any:
    """Turn `text` into `kind`: int, float, bool, str, or a list written `a+b`."""
    if isinstance(kind, types.UnionType):
        kind = next(arm for arm in kind.__args__ if arm is not type(None))
    try:
        if kind is bool:
            return _TRUTH[text.lower()]
        if typing.get_origin(kind) in (list, tuple):
            return tuple(part for part in text.split("+") if part)
        return kind(text)
    except (ValueError, KeyError):
        name = getattr(kind, "__name__", str(kind))
        raise usage(f"{where} must be {name}, got {text!r}") from None
