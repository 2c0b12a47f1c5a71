"""SIGINT and SIGTERM as a request: the first is heeded at the next good moment."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from instructune.errors import Signalled


class Stopped(Signalled):
    """A signal ended the work after everything was saved; `message` says what comes next."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(number)
        self.message = message


class StopRequest:
    """Whether a signal asked to stop, and which."""

    def __init__(self) -> None:
        self.number: int | None = None

    def __call__(self) -> bool:
        """True once a signal came."""
        return self.number is not None


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Note the first SIGINT or SIGTERM; a second one raises Signalled at once."""
    request = StopRequest()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: Any) -> None:
        if request.number is not None:
            raise Signalled(number)
        request.number = number

    try:
        for number in before:
            signal.signal(number, note)
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def told(message: str) -> Iterator[None]:
    """Say `message` where a signal ends the block, and nothing better was said."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(signal.SIGINT, message) from None
    except Signalled as stop:
        if stop.message:
            raise
        raise Stopped(stop.number, message) from None
