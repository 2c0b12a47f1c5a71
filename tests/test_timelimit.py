"""timelimit: the call is interrupted, and whoever else uses the alarm keeps it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest

from instructune.timelimit import OutOfTime, within


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@pytest.fixture
def rung() -> Iterator[list[int]]:
    """Somebody else's alarm handler; what it was called with."""
    calls: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: calls.append(number))
    yield calls
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_long_call_is_interrupted_though_it_catches_exceptions() -> None:
    def stubborn() -> None:
        try:
            spin(5)
        except Exception:
            pytest.fail("it is no Exception")

    started = time.monotonic()
    with pytest.raises(OutOfTime):
        within(0.05, stubborn)
    assert time.monotonic() - started < 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_a_finalizer_swallows_comes_again() -> None:
    class Slow:
        def __del__(self) -> None:
            spin(0.1)

    started = time.monotonic()
    with pytest.raises(OutOfTime):
        within(0.02, lambda: (Slow(), None)[1] or spin(5))
    assert time.monotonic() - started < 2


def test_a_short_call_returns() -> None:
    assert within(5, lambda: "result") == "result"
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_its_own_exception_passes() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 / 0)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize("seconds", [0.02, 5])
def test_handler_and_timer_are_restored(seconds: float, rung: list[int]) -> None:
    handler = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 60, 30)
    started = time.monotonic()
    with suppress(OutOfTime):
        within(seconds, lambda: spin(0.2))
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert left == pytest.approx(60 - (time.monotonic() - started), abs=0.1)
    assert interval == 30
    assert signal.getsignal(signal.SIGALRM) is handler
    assert not rung


def test_a_timer_that_ran_out_meanwhile_rings_right_after(rung: list[int]) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    within(5, lambda: spin(0.05))
    spin(0.05)
    assert rung == [signal.SIGALRM]


def test_an_alarm_on_the_way_out_changes_nothing(rung: list[int]) -> None:
    """Calls that last about as long as they may: each ends one way or the other, cleanly."""
    handler = signal.getsignal(signal.SIGALRM)
    for i in range(300):
        with suppress(OutOfTime):
            assert within(0.0007, lambda i=i: spin(0.0004 + i * 2e-6) or "done") == "done"
        assert signal.getsignal(signal.SIGALRM) is handler
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert not rung


def test_an_alarm_outside_the_call_is_none(rung: list[int]) -> None:
    """Raised by a function without a frame of its own, it strikes as if the call were over."""
    assert within(5, partial(signal.raise_signal, signal.SIGALRM)) is None
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert not rung
    with pytest.raises(OutOfTime):
        within(5, lambda: signal.raise_signal(signal.SIGALRM))


def test_other_threads_are_interrupted_and_keep_their_tracer() -> None:
    ends: list[object] = []

    def tracer(frame: object, event: str, argument: object) -> None:
        return None

    def work() -> None:
        sys.settrace(tracer)
        started = time.monotonic()
        try:
            within(0.05, lambda: spin(5))
        except OutOfTime:
            ends.append(time.monotonic() - started < 2)
        ends.append(sys.gettrace() is tracer)
        ends.append(within(5, lambda: "result"))
        sys.settrace(None)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ends == [True, True, "result"]
