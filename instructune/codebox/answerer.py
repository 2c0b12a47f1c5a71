"""The side of a sandbox that holds an answer: runs it, and does with it what the tests ask.

It knows neither the tests nor what they expect. All that leaves it are plain values.
"""

from __future__ import annotations

import gc
import json
import operator
import random
import socket
import sys
from types import ModuleType
from typing import Any, NoReturn

from instructune.codebox.programs import program
from instructune.codebox.wire import Channel, decode, encode, exception_named

_SHOWN = 300  # characters of an error's arguments
_MUTABLE = (list, dict, set)


def serve(connection: socket.socket) -> None:
    """Load the answer that comes first, then do what is asked until nobody asks any more."""
    sys.set_int_max_str_digits(0)
    random.seed(0)
    gc.collect()
    channel = Channel(connection)
    side = _Side(channel)
    job = channel.receive()
    _reply(channel, lambda: side.load(**job))
    while True:
        side.answer(channel.receive())


class _Side:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._kept: list[Any] = []
        self._module = ModuleType("answer")

    def load(self, answer: str, prompt: str, entry: str | None) -> list[str]:
        """Run the program; the names that it defines."""
        sys.modules["answer"] = self._module
        code = compile(program(answer, prompt, entry), "answer", "exec")
        exec(code, self._module.__dict__)
        return [name for name in vars(self._module) if isinstance(name, str)]

    def answer(self, asked: dict[str, Any]) -> None:
        """Do one thing, and tell what came of it and which arguments it changed."""
        arguments = asked["args"]

        def act() -> Any:
            values = [decode(value, self._read) for value in arguments]
            found = _ACTS[asked["do"]](self, *values)
            told = encode(found, self._keep)
            mutable = [i for i in range(len(values)) if isinstance(values[i], _MUTABLE)]
            after = [[i, encode(values[i], self._keep)] for i in mutable]
            return {"value": told, "changed": [c for c in after if c[1] != arguments[c[0]]]}

        _reply(self._channel, act)

    def _keep(self, value: Any) -> list[Any]:
        """Something that stays here: a number stands for it."""
        if isinstance(value, _Callback):
            return ["own", value.number]
        if isinstance(value, type) and issubclass(value, BaseException):
            return ["exception", *(kind.__name__ for kind in value.__mro__)]
        self._kept.append(value)
        return ["kept", len(self._kept) - 1, type(value).__name__]

    def _read(self, tag: str, body: list[Any]) -> Any:
        if tag == "own":
            return self._kept[body[0]]
        if tag == "callback":
            return _Callback(self, body[0])
        if tag == "exception":
            return vars(self._module)[body[0]]
        raise ValueError(tag)

    def call_back(self, number: int, args: tuple[Any, ...]) -> Any:
        with self._channel.lock:
            told = [encode(value, self._keep) for value in args]
            self._channel.send({"call": number, "args": told})
            while "do" in (heard := self._channel.receive()):
                self.answer(heard)
            if "error" in heard:
                raise exception_named(heard["error"])
            return decode(heard["value"], self._read)

    def name(self, name: str) -> Any:
        return vars(self._module)[name]


class _Callback:
    """A function of the tests, handed over as an argument."""

    def __init__(self, side: _Side, number: int) -> None:
        self._side, self.number = side, number

    def __call__(self, *args: Any) -> Any:
        return self._side.call_back(self.number, args)


def _reply(channel: Channel, act: Any) -> None:
    try:
        told = act()
        channel.send(told)
    except Exception as error:
        names = [kind.__name__ for kind in type(error).__mro__]
        channel.send({"error": names, "args": _arguments(error)})
    except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
        channel.send({"gone": f"the answer raises {type(error).__name__}"})


def _arguments(error: Exception) -> list[Any]:
    """What the exception was made with, where that is plain, else its message."""
    try:
        told = [encode(value, _refuse) for value in error.args]
        if len(json.dumps(told)) <= _SHOWN and not isinstance(error, SyntaxError | OSError):
            return told
    except Exception:  # an argument that is not plain, or lies
        pass
    try:
        return [str(error)[:_SHOWN]]
    except Exception:  # its own __str__ may fail, too
        return []


def _refuse(value: Any) -> NoReturn:
    raise TypeError


def _called(side: _Side, function: Any, args: list[Any], named: dict[str, Any]) -> Any:
    return function(*args, **named)


def _on(function: Any) -> Any:
    return lambda side, *values: function(*values)


_BINARY = "eq ne lt le gt ge add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift"
_ACTS: dict[str, Any] = {
    "name": _Side.name,
    "call": _called,
    "next": _on(next),
    "iter": _on(iter),
    **{f.__name__: _on(f) for f in (getattr, setattr, len, bool, int, float, str, repr, abs)},
    **{f.__name__: _on(f) for f in (round, isinstance, reversed)},
    **{name: _on(getattr(operator, name)) for name in _BINARY.split()},
    **{name: _on(getattr(operator, name)) for name in ["getitem", "setitem", "delitem", "neg"]},
    "index": _on(operator.index),
    "contains": _on(operator.contains),
}
