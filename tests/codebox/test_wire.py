"""wire: plain values arrive as they were sent, and nothing else does."""

from __future__ import annotations

import datetime
import json
import math
import socket
import struct
from collections import Counter, OrderedDict, deque
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.codebox.wire import MOST, Channel, Gone, decode, encode, exception_named

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
    | st.complex_numbers(allow_nan=False)
)
KEYS = st.integers() | st.text() | st.tuples(st.integers(), st.text())
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(KEYS, inner)
        | st.sets(KEYS)
        | st.frozensets(KEYS)
    ),
)


def refuse(*given):
    raise TypeError(given)


def round_trip(value):
    return decode(json.loads(json.dumps(encode(value, refuse))), refuse)


def same(one, two):
    assert type(one) is type(two)
    assert repr(one) == repr(two) or one == two


@settings(max_examples=30)
@given(VALUES)
def test_plain_values_arrive_as_they_were(value):
    same(round_trip(value), value)


@pytest.mark.parametrize(
    "value",
    [
        [10**5000],
        -0.0,
        math.inf,
        "\ud800",
        Decimal("1.10"),
        Fraction(1, 3),
        deque([1, (2,)]),
        bytearray(b"x"),
        datetime.datetime(2024, 2, 29, 1, 2, 3, 4),
        datetime.date(2024, 2, 29),
        datetime.time(1, 2),
        datetime.timedelta(1, 2, 3),
        int,
        ValueError,
        {True: 1, None: [{}]},
    ],
)
def test_others_too(value):
    import sys

    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        same(round_trip(value), value)
    finally:
        sys.set_int_max_str_digits(before)


def test_nan_is_nan():
    assert math.isnan(round_trip(float("nan")))


def test_subclasses_become_what_they_extend():
    class Liar(int):
        def __eq__(self, other):
            return True

        __hash__ = int.__hash__
        __int__ = __index__ = lambda self: 9

    same(round_trip(Liar(3)), 3)
    same(round_trip(Counter("aab")), {"a": 2, "b": 1})
    same(round_trip(OrderedDict(b=1, a=2)), {"b": 1, "a": 2})


def test_numbers_of_numpy_become_pythons():
    import numpy as np

    same(round_trip([np.float32(0.5), np.int64(3), np.bool_(True)]), [0.5, 3, True])


@pytest.mark.parametrize("value", [object(), len, open, Exception("x"), iter([])])
def test_what_is_not_plain_is_given_to_the_caller(value):
    with pytest.raises(TypeError):
        round_trip(value)


def test_exceptions_are_built_in_ones():
    assert exception_named(["Mine", "KeyError", "Exception"]) is KeyError
    assert exception_named(["SystemExit"]) is exception_named(["eval"]) is Exception


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ended early"),
        (b"\0\0", "ended early"),
        (b"\0\0\0\x05ab", "ended early"),
        (struct.pack("!I", MOST + 1), "16 MiB"),
        (b"\0\0\0\x03{x}", "no message"),
        (b"\0\x01\x86\xa0" + b"[" * 100_000, "no message"),
    ],
)
def test_what_is_no_message_ends_the_talk(data, why):
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.settimeout(5)
            theirs.sendall(data)
        with pytest.raises(Gone, match=why):
            Channel(ours).receive()


def test_messages_arrive_whole_and_in_order():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for message in ({"a": [1]}, "x" * 50_000, None):
            Channel(theirs).send(message)
            assert Channel(ours).receive() == message
        with pytest.raises(ValueError, match="16 MiB"):
            Channel(theirs).send("x" * MOST)
