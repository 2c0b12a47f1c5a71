"""What tests hold of an answer: its functions and objects at a distance, its values at hand.

An answer may give back an object whose operators lie: equal to all, smaller than anything. So the
tests' side decides whatever it can. A value is plain data and compared here; an object kept by
the answer is equal to no plain value and takes part in no arithmetic with one. Only an object
made by calling a class that is itself under test decides on its own operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from instructune.codebox.wire import Channel, Gone, decode, encode, exception_named


class Link:
    """The tests' end of the channel."""

    def __init__(self, channel: Channel, classes: frozenset[str] = frozenset()) -> None:
        self._channel, self._classes = channel, classes
        self._callbacks: list[Callable[..., Any]] = []
        self._exceptions: dict[tuple[str, ...], type] = {}
        self.uses = 0  # how often the tests asked something of the answer
        self.lost: str | None = None  # why nothing can be asked any more

    def hear(self) -> Any:
        """The next reply; an exception of the answer is raised here, under its own name."""
        while True:
            heard = self._channel.receive()
            if not isinstance(heard, dict):
                return heard
            if "gone" in heard:
                raise Gone(str(heard["gone"]))
            if "error" in heard:
                kind = self._exception([str(name) for name in heard["error"]])
                raise kind(*(self._read(value) for value in heard.get("args", ())))
            if "call" not in heard:
                return heard
            self._call_back(heard)

    def ask(self, act: str, *values: Any) -> Any:
        """Have the answer's side do something; the arguments change here as they did there."""
        if self.lost:
            raise Gone(self.lost)
        self.uses += 1
        try:
            with self._channel.lock:
                self._channel.send({"do": act, "args": [self._told(value) for value in values]})
                return self._taken(self.hear(), values)
        except Gone as error:
            self.lost = str(error)
            raise

    def _taken(self, heard: Any, values: tuple[Any, ...]) -> Any:
        try:
            for place, value in heard.get("changed", ()):
                _change(values[place], self._read(value))
            return self._read(heard["value"])
        except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise Gone("the answer sent what is no value") from error

    def name(self, name: str) -> Any:
        """What the answer defines under this name."""
        found = self.ask("name", name)
        if isinstance(found, Remote) and name in self._classes:
            object.__setattr__(found, "_makes_subjects", True)
        return found

    def _told(self, value: Any) -> Any:
        return encode(value, self._hand_over)

    def _hand_over(self, value: Any) -> list[Any]:
        if isinstance(value, Remote):
            return ["own", value._number]
        for names, kind in self._exceptions.items():
            if value is kind:
                return ["exception", *names]
        if not callable(value):
            raise TypeError(f"a {type(value).__name__} cannot be handed to the answer")
        self._callbacks.append(value)
        return ["callback", len(self._callbacks) - 1]

    def _read(self, told: Any) -> Any:
        try:
            return decode(told, self._known)
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise Gone("the answer sent what is no value") from error

    def _known(self, tag: str, body: list[Any]) -> Any:
        if tag == "own":
            return self._callbacks[body[0]]
        if tag == "exception":
            return self._exception([str(name) for name in body])
        if tag == "kept":
            return Remote(self, int(body[0]), str(body[1]))
        raise ValueError(tag)

    def _exception(self, names: list[str]) -> type[Exception]:
        """The exception of this name: built in, or one of the answer's, made again here."""
        base = exception_named(names)
        if not names or names[0] == base.__name__:
            return base
        key = tuple(names)
        if key not in self._exceptions:
            self._exceptions[key] = type(names[0], (base,), {})
        return self._exceptions[key]

    def _call_back(self, heard: dict[str, Any]) -> None:
        try:
            function = self._callbacks[int(heard["call"])]
            found = function(*(self._read(value) for value in heard["args"]))
            told = {"value": self._told(found)}
        except Exception as error:
            told = {"error": [kind.__name__ for kind in type(error).__mro__]}
        self._channel.send(told)


def _change(mine: Any, after: Any) -> None:
    """Make a mutable argument what the answer made of its copy."""
    if isinstance(mine, list) and isinstance(after, list):
        for i, (old, new) in enumerate(zip(mine, after, strict=False)):
            if isinstance(old, list | dict | set) and type(old) is type(new):
                _change(old, new)
            else:
                mine[i] = new
        mine[len(after) :] = after[len(mine) :]
    elif (
        isinstance(mine, dict)
        and isinstance(after, dict)
        or isinstance(mine, set)
        and isinstance(after, set)
    ):
        mine.clear()
        mine.update(after)


class Remote:
    """Something that the answer keeps: a function, a class, an iterator, an object."""

    __slots__ = ("_is_subject", "_kind", "_link", "_makes_subjects", "_number")
    _is_subject: bool  # made by calling a class under test, so its operators are its own
    _kind: str
    _link: Link
    _makes_subjects: bool
    _number: int

    def __init__(self, link: Link, number: int, kind: str) -> None:
        given = {"_link": link, "_number": number, "_kind": kind}
        for name, value in (given | {"_makes_subjects": False, "_is_subject": False}).items():
            object.__setattr__(self, name, value)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it over there."""
        found = _ask(self, "call", list(args), named)
        if isinstance(found, Remote) and self._makes_subjects:
            object.__setattr__(found, "_is_subject", True)
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _ask(self, "getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "setattr", name, value)

    def __repr__(self) -> str:
        return f"<{object.__getattribute__(self, '_kind')} of the answer>"

    def __iter__(self) -> Any:
        found = _ask(self, "iter")
        return found if isinstance(found, Remote) else iter(found)

    def __next__(self) -> Any:
        return _ask(self, "next")

    def __bool__(self) -> bool:
        return bool(_ask(self, "bool"))

    def __eq__(self, other: object) -> Any:
        return _compared(self, "eq", other, same=True)

    def __ne__(self, other: object) -> Any:
        return _compared(self, "ne", other, same=False)

    def __hash__(self) -> int:
        return 0  # equal objects must agree, and who is equal is asked

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, Remote) and bool(_ask(value, "isinstance", self))

    def __contains__(self, value: Any) -> bool:
        if self._is_subject:
            return bool(_ask(self, "contains", value))
        return any(value is item or value == item for item in self)

    def __enter__(self) -> Any:
        return _ask(self, "getattr", "__enter__")()

    def __exit__(self, *error: Any) -> Any:
        return _ask(self, "getattr", "__exit__")(None, None, None)


def _ask(remote: Remote, act: str, *values: Any) -> Any:
    return remote._link.ask(act, remote, *values)


def _compared(remote: Remote, act: str, other: object, *, same: bool) -> Any:
    if remote is other:
        return same
    if isinstance(other, Remote) or remote._is_subject:
        return _ask(remote, act, other)
    return NotImplemented


def _operator(act: str, *, turned: bool = False) -> Callable[[Remote, Any], Any]:
    def operate(self: Remote, other: Any) -> Any:
        if not isinstance(other, Remote) and not self._is_subject:
            return NotImplemented
        return self._link.ask(act, *((other, self) if turned else (self, other)))

    return operate


def _single(act: str) -> Callable[..., Any]:
    return lambda self, *values: _ask(self, act, *values)


_ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]
_BITS = ["and", "or", "xor", "lshift", "rshift"]
_SINGLE = ["len", "int", "float", "str", "abs", "neg", "round", "reversed", "index"]
_ITEMS = ["getitem", "setitem", "delitem"]

for _name in _ARITHMETIC + _BITS:
    _act = f"{_name}_" if _name in ("and", "or") else _name
    setattr(Remote, f"__{_name}__", _operator(_act))
    setattr(Remote, f"__r{_name}__", _operator(_act, turned=True))
for _name in ["lt", "le", "gt", "ge"]:
    setattr(Remote, f"__{_name}__", _operator(_name))
for _name in _SINGLE + _ITEMS:
    setattr(Remote, f"__{_name}__", _single(_name))
