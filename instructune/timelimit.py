"""A block of Python that is interrupted when its time is up, in any thread."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NoReturn


class OutOfTime(BaseException):
    """The time is up; not an Exception, so that no handler inside the block holds it up."""


def time_limit(seconds: float) -> AbstractContextManager[None]:
    """Raise OutOfTime in the block after `seconds`; one call into C is not interrupted.

    The main thread is woken by an alarm, which costs nothing. Other threads get none; they look
    at the clock at every line, which makes them several times slower.
    """
    main = threading.current_thread() is threading.main_thread()
    return _alarm(seconds) if main else _watch(seconds)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: Any) -> NoReturn:
        raise OutOfTime

    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:  # also where the alarm strikes on the way out
        signal.signal(signal.SIGALRM, before if before is not None else signal.SIG_DFL)
        if left:  # somebody else's timer goes on, late by no more than the block
            left = max(left - (time.monotonic() - started), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


@contextmanager
def _watch(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds

    def look(frame: Any, event: str, argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise OutOfTime
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)
