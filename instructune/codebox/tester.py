"""The side of a sandbox that holds the tests: runs them on an answer in another, and judges.

The answer's code never runs here. Names that the tests and the prompt define are theirs; only a
name that nobody else defines is the answer's, so that it cannot replace what measures it.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import linecache
import os
import random
import re
import socket
import sys
import traceback
import unittest
from collections.abc import Iterator
from typing import Any

from instructune.codebox.programs import classes, defined, prelude
from instructune.codebox.remote import Link, Remote
from instructune.codebox.wire import Channel, Gone

_ALIASES = {"np": "numpy", "pd": "pandas"}
_CLASS_LIKE = re.compile(r"[A-Z][A-Za-z0-9]*")
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_SHOWN = 300


class Failed(Exception):
    """The tests ran, and the answer does not pass them."""


def judge(connection: socket.socket, answer: socket.socket) -> None:
    """Take the job from `connection`, test the answer behind the other, and send the verdict."""
    sys.set_int_max_str_digits(0)
    random.seed(0)
    verdicts = Channel(connection)
    job = verdicts.receive()
    try:
        _test(Channel(answer), job)
        reason = None
    except BaseException as error:  # SystemExit of the tests is no pass either
        reason = _told(error)
    verdicts.send({"passed": reason is None, "reason": reason})
    os._exit(0)  # nothing that the tests registered runs


def _test(channel: Channel, job: dict[str, Any]) -> None:
    """Run the tests; returns where the answer passes."""
    channel.send({key: job[key] for key in ("answer", "prompt", "entry")})
    tree = ast.parse(job["tests"])
    link = Link(channel, _classes_under_test(job))
    names = link.hear()
    space: dict[str, Any] = {"__name__": "tests"}
    for name, code in (("prompt", prelude(job["prompt"])), ("setup", job["setup"])):
        if code:
            _run(name, code, space)
    known = set(space) if job["entry"] is None else set(space) - {job["entry"]}
    used = _bind(link, tree, {str(name) for name in names} - known, job, space)
    link.uses = 0
    _run("tests", job["tests"], space)
    ran = _run_functions(space, tree)
    if job["entry"] and inspect.isfunction(space.get("check")) and not ran:
        space["check"](space[job["entry"]])
    if link.lost:
        raise Failed(link.lost)
    if not link.uses and not used:
        raise Failed("the tests never use the answer")


def _classes_under_test(job: dict[str, Any]) -> frozenset[str]:
    """The classes that references define; without any, names written like one but the entry."""
    if job["references"]:
        return frozenset().union(*map(classes, job["references"]))
    names = (node.id for node in ast.walk(ast.parse(job["tests"])) if isinstance(node, ast.Name))
    return frozenset(filter(_CLASS_LIKE.fullmatch, names)) - {job["entry"]}


def _bind(
    link: Link, tree: ast.Module, offered: set[str], job: dict[str, Any], space: dict[str, Any]
) -> bool:
    """Give the tests the names that are the answer's to define; whether one is a plain value.

    A built-in name is the answer's only where it is the entry point or a reference defines it.
    """
    own = {job["entry"]}.union(*map(defined, job["references"]))
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    modules = {
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    plain = False
    for name in sorted(read | {job["entry"]} - {None}):
        if name in modules and name not in own and (module := _module(name)):
            space.setdefault(name, module)
        elif name in offered and (name in own or not hasattr(builtins, name)):
            space[name] = link.name(name)
            plain |= not isinstance(space[name], Remote)
    if job["entry"] and job["entry"] not in offered:
        raise Failed(f"the answer does not define {job['entry']}")
    return plain


def _module(name: str) -> Any:
    name = _ALIASES.get(name, name)
    if name not in sys.stdlib_module_names and name not in _ALIASES.values():
        return None
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _run(name: str, code: str, space: dict[str, Any]) -> None:
    lines = code.splitlines(keepends=True)
    linecache.cache[name] = (len(code), None, lines, name)  # tracebacks show them
    exec(compile(code, name, "exec"), space)


def _run_functions(space: dict[str, Any], tree: ast.Module) -> bool:
    """Run what pytest and unittest would collect; whether there was anything."""
    found = False
    for function in _collected(space, tree):
        found = True
        function()
    for name in [node.name for node in tree.body if isinstance(node, ast.ClassDef)]:
        kind = space.get(name)
        if not (isinstance(kind, type) and issubclass(kind, unittest.TestCase)):
            continue
        found = True
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(kind).run(result)
        if broken := [*result.failures, *result.errors]:
            raise Failed(broken[0][1].strip().splitlines()[-1])
        if result.testsRun == len(result.skipped) or result.unexpectedSuccesses:
            raise Failed(f"no test of {name} passes")
    return found


def _collected(space: dict[str, Any], tree: ast.Module) -> Iterator[Any]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            function = space.get(node.name)
            if inspect.isfunction(function) and not inspect.signature(function).parameters:
                yield function


def _told(error: BaseException) -> str:
    """Why the answer fails, with the line of the tests that found out."""
    if isinstance(error, Gone | Failed):
        return _ADDRESS.sub("0x…", str(error))[:_SHOWN]
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line for frame in frames if frame.filename == "tests" and frame.line]
    parts = [type(error).__name__, str(error), *(f"at {line}" for line in lines[-1:])]
    return _ADDRESS.sub("0x…", ": ".join(filter(None, parts)))[:_SHOWN]
