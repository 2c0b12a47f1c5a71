"""A worker process: loads what trainings need once, then does each job in a fork of itself.

Talks in JSON lines. In: a job, and answers to what it asks. Out: that it is ready, the events that
a job asks about, and how the job ended.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, NoReturn

from instructune.environment import importing_torch
from instructune.errors import Exit, Signalled, UserError

Job = dict[str, Any]
Event = dict[str, Any]
Ask = Callable[[Event], bool]
_AWAITED = {signal.SIGTERM, signal.SIGCHLD}
_SLOW = ("accelerate", "instructune", "peft", "transformers")  # to import
_MOST = 60_000  # bytes, which a pipe holds before anybody reads
_DEATH = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>


class _Line:
    """Both directions of the talk, at file descriptors that nothing else writes to."""

    def __init__(self) -> None:
        self._in: IO[bytes] = os.fdopen(os.dup(0), "rb", buffering=0)  # nothing is read ahead
        self._out = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)  # what libraries print

    def read(self) -> dict[str, Any] | None:
        """The next line; None where nobody is there any more."""
        line = self._in.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def write(self, event: Event) -> None:
        """Send a line."""
        with suppress(BrokenPipeError):
            os.write(self._out, json.dumps(event).encode() + b"\n")

    def ask(self, event: Event) -> bool:
        """Whether the job is to go on after this; a parent that is gone wants nothing more."""
        self.write(event)
        answer = self.read()
        return bool(answer and answer["go"])


def serve(load: Callable[[], None], work: Callable[[Job, Ask], Event], parent: int) -> None:
    """Load what jobs need, then do one after the other until the input ends, or a signal comes.

    `work` takes a job and a function to ask whether to go on; it returns what came of the job.
    A signal is handed on to the job, which may save what it has.
    """
    # blocked and asked for, none is lost; before any library starts threads that would get them
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(parent)
    line, own = _Line(), os.getpid()
    load()
    line.write({"event": "ready"})
    while (job := line.read()) is not None and signal.SIGTERM not in signal.sigpending():
        lesson = _Lesson()
        child = os.fork()
        if not child:
            _do(work, job, line, own, lesson)
        stopped, status = _wait(child)
        line.write({"event": "over", "status": status})
        if stopped:
            return
        lesson.learn()


class _Lesson:
    """What a job had to import, for the worker to import it too: the next job need not."""

    def __init__(self) -> None:
        self._before = set(sys.modules)
        self._in, self._out = os.pipe()

    def teach(self) -> None:
        """Say in the job's process what it imported."""
        names = [name for name in sys.modules if name.partition(".")[0] in _SLOW]
        lines = "".join(f"{name}\n" for name in names if name not in self._before)
        os.write(self._out, lines.encode()[:_MOST])

    def learn(self) -> None:
        """Import that in the worker."""
        os.close(self._out)
        with open(self._in, encoding="utf-8") as lines, importing_torch():
            for line in lines:
                with suppress(Exception):  # the last name may be cut
                    importlib.import_module(line.strip())


def _wait(child: int) -> tuple[bool, int]:
    """Whether a signal came, which the child then gets, and the child's exit status."""
    stopped = False
    while True:
        if signal.sigwait(_AWAITED) == signal.SIGTERM:
            stopped = True
            os.kill(child, signal.SIGTERM)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return stopped, os.waitstatus_to_exitcode(status)


def _die_with(parent: int) -> None:
    """Get SIGTERM when the parent is gone, killed or not; where the system can do that."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DEATH, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def _do(
    work: Callable[[Job, Ask], Event], job: Job, line: _Line, parent: int, lesson: _Lesson
) -> NoReturn:
    """Do the job in this process, which ends with it."""
    signal.signal(signal.SIGTERM, _signalled)
    ended: Event = {"state": "failed"}
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
        _die_with(parent)
        ended = {"state": "complete"} | work(job, line.ask)
    except Signalled:
        ended = {"state": "stopped"}
    except UserError as failure:
        ended |= failure.as_dict()
    except MemoryError:
        ended |= {"error": "out of memory", "code": int(Exit.OUT_OF_MEMORY)}
    except BaseException as bug:
        traceback.print_exc()
        ended |= {"error": f"{type(bug).__name__}: {bug}", "code": int(Exit.BUG)}
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    line.write({"event": "end"} | ended)
    lesson.teach()
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(0)


def _signalled(number: int, frame: Any) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once
    raise Signalled(number)
