"""Plain values between two processes that do not trust each other: JSON, never pickle."""

from __future__ import annotations

import builtins
import datetime
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

MOST = 1 << 24  # bytes of a message
_TYPES = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, object)
_TYPE_NAMES = {kind.__name__: kind for kind in _TYPES}
_SEQUENCES: tuple[tuple[str, Any], ...] = (
    ("list", list),
    ("tuple", tuple),
    ("set", set),
    ("frozenset", frozenset),
    ("deque", deque),
)
_SPELLED: tuple[tuple[str, type, Callable[[Any], str], Callable[[str], Any]], ...] = (
    ("bytes", bytes, bytes.hex, bytes.fromhex),
    ("bytearray", bytearray, bytearray.hex, bytearray.fromhex),
    ("complex", complex, repr, complex),
    ("decimal", Decimal, str, Decimal),
    ("fraction", Fraction, str, Fraction),
    ("datetime", datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    ("date", datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    ("time", datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
)
_READ_SPELLED = {name: read for name, _, _, read in _SPELLED}
_READ_SEQUENCE = dict(_SEQUENCES)


class Gone(BaseException):
    """The other side ended, or speaks another language; no handler of tests catches it."""


def encode(value: Any, other: Callable[[Any], list[Any]]) -> Any:
    """A value as JSON; `other` encodes what is not plain. Subclasses become what they extend."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, dict):
        pairs = [[encode(k, other), encode(v, other)] for k, v in dict.items(value)]
        return ["dict", pairs]
    for name, kind in _SEQUENCES:
        if isinstance(value, kind):
            return [name, [encode(item, other) for item in kind.__iter__(value)]]
    for name, kind, spell, _ in _SPELLED:
        if isinstance(value, kind):
            return [name, spell(value)]
    if isinstance(value, datetime.timedelta):
        return ["timedelta", [value.days, value.seconds, value.microseconds]]
    if isinstance(value, type) and is_known(value):
        return ["type", value.__name__]
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        return encode(value.item(), other)  # a number that is no Python number
    return other(value)


def is_known(kind: type) -> bool:
    """Whether both sides have this type: a plain one, or a built-in exception."""
    if kind in _TYPES:
        return True
    return issubclass(kind, BaseException) and getattr(builtins, kind.__name__, None) is kind


def decode(told: Any, other: Callable[[str, list[Any]], Any]) -> Any:
    """The value that `encode` told; `other` makes sense of the tags that are not plain."""
    if not isinstance(told, list):
        return told
    tag, body = told[0], told[1:]
    if tag in _READ_SEQUENCE:
        return _READ_SEQUENCE[tag](decode(item, other) for item in body[0])
    if tag == "dict":
        return {decode(key, other): decode(value, other) for key, value in body[0]}
    if tag in _READ_SPELLED:
        return _READ_SPELLED[tag](body[0])
    if tag == "timedelta":
        return datetime.timedelta(*body[0])
    if tag == "type":
        return _TYPE_NAMES.get(body[0]) or exception_named([body[0]])
    return other(tag, body)


def exception_named(names: list[str]) -> type[Exception]:
    """The first of `names` that is a built-in exception."""
    for name in names:
        found = getattr(builtins, name, None)
        if isinstance(found, type) and issubclass(found, Exception):
            return found
    return Exception


class Channel:
    """Messages over a socket, each a JSON value after its length."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.lock = threading.RLock()

    def send(self, message: Any) -> None:
        """Send one message; Gone where nobody hears it or it is too long."""
        data = json.dumps(message).encode()
        if len(data) > MOST:
            raise ValueError(f"a value of more than {MOST >> 20} MiB")
        try:
            self._socket.sendall(struct.pack("!I", len(data)) + data)
        except OSError as error:
            raise Gone("the answer's process ended early") from error

    def receive(self) -> Any:
        """The next message; Gone where there is none or it is none of ours."""
        (size,) = struct.unpack("!I", self._exactly(4))
        if size > MOST:
            raise Gone(f"the answer sent more than {MOST >> 20} MiB")
        try:
            return json.loads(self._exactly(size))
        except (ValueError, RecursionError) as error:
            raise Gone("the answer sent what is no message") from error

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                part = self._socket.recv(min(size - len(parts), 1 << 16))
            except OSError as error:
                raise Gone("the answer's process ended early") from error
            if not part:
                raise Gone("the answer's process ended early")
            parts += part
        return bytes(parts)
