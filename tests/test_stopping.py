"""Signals: the first is noted, the second ends at once, and the message says what comes next."""

from __future__ import annotations

import os
import signal

import pytest

from instructune.errors import Signalled
from instructune.stopping import Stopped, stop_request, told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_is_noted_and_the_second_ends_at_once(number: int) -> None:
    with pytest.raises(Signalled) as raised, stop_request() as stop:
        assert (stop(), stop.number) == (False, None)
        os.kill(os.getpid(), number)
        assert (stop(), stop.number) == (True, number)
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("the second signal was not heeded")
    assert raised.value.number == signal.SIGTERM


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_request():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize(
    ("raised", "number", "message"),
    [
        (KeyboardInterrupt(), signal.SIGINT, "go on like this"),
        (Signalled(signal.SIGTERM), signal.SIGTERM, "go on like this"),
        (Stopped(signal.SIGTERM, "said already"), signal.SIGTERM, "said already"),
    ],
)
def test_what_to_do_is_told_once(raised: BaseException, number: int, message: str) -> None:
    with pytest.raises(Stopped) as stopped, told("go on like this"):
        raise raised
    assert (stopped.value.number, stopped.value.message) == (number, message)


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="bug"), told("go on like this"):
        raise ValueError("bug")
