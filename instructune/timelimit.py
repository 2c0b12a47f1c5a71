"""A call of Python code that is interrupted when its time is up, in any thread."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

_AGAIN = 0.05  # seconds

T = TypeVar("T")


class OutOfTime(BaseException):
    """The time is up; not an Exception, so that no handler inside the call holds it up."""


def within(seconds: float, function: Callable[[], T]) -> T:
    """`function()`, or OutOfTime after `seconds`; one call into C is not interrupted.

    The main thread is woken by an alarm, which costs nothing. Other threads get none; they look
    at the clock at every line, which makes them several times slower.
    """
    if threading.current_thread() is threading.main_thread():
        return _with_alarm(seconds, function)
    return _watched(seconds, function)


def _with_alarm(seconds: float, function: Callable[[], T]) -> T:
    armed, here = True, sys._getframe()

    def stop(number: int, frame: FrameType | None) -> None:
        # in this very function the call has not begun or is over: nothing is to be interrupted,
        # least of all the clean-up
        if armed and frame is not here:
            raise OutOfTime

    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, stop)
    # it rings again: what is raised in a finalizer or by the garbage collector is lost
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        return function()
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before if before is not None else signal.SIG_DFL)
        if left:  # somebody else's timer goes on, late by no more than the call
            left = max(left - (time.monotonic() - started), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _watched(seconds: float, function: Callable[[], T]) -> T:
    deadline = time.monotonic() + seconds

    def look(frame: FrameType, event: str, argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise OutOfTime
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        return function()
    finally:
        sys.settrace(before)
