"""The way in: jobs to a bounded number of wardens, a verdict for each, in the order of the jobs."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from instructune.codebox.limits import Limits
from instructune.codebox.wire import Channel, Gone
from instructune.errors import Exit, UserError

MOST_WORKERS = 8
_USUAL = Limits()
_ROOT = str(Path(__file__).parents[2])
_START = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from instructune.codebox.warden import main\n"
    "main(int(sys.argv[2]), sys.argv[3:])"
)
_HINT = (
    "it needs Linux and the right to make user namespaces: "
    "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), "
    "sysctl -w kernel.unprivileged_userns_clone=1 (Debian), or run it as root; "
    "in a container, start that with --security-opt seccomp=unconfined --cap-add SYS_ADMIN"
)


@dataclass(frozen=True)
class Job:
    """An answer and the code that tests it.

    `prompt` is what the answer may go on from, where that is code; `entry` names the function
    under test; `setup` is code of the tests, such as imports; `references` are right answers,
    read only for the names that they define.
    """

    answer: str
    tests: str
    prompt: str = ""
    entry: str | None = None
    setup: str = ""
    references: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """Whether an answer passes, and if not, why."""

    passed: bool
    reason: str | None = None


class Broken(Exception):
    """The sandbox itself failed, which says nothing about the answer."""


class Box:
    """Wardens that run jobs; a context manager, for they are processes.

    UserError with code 69 where this machine allows no sandbox.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or min(MOST_WORKERS, os.cpu_count() or 1)
        self._idle: SimpleQueue[Warden] = SimpleQueue()
        self._all: list[Warden] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def run(self, jobs: Sequence[Job], limits: Limits = _USUAL) -> list[Verdict]:
        """A verdict a job, in the same order; neither order nor workers change any."""
        with self._lock:
            while len(self._all) < min(self._workers, len(jobs)):
                self._start()
        pool = ThreadPoolExecutor(max(1, len(self._all)))
        try:
            return list(pool.map(lambda job: self._judge(job, limits), jobs))
        except BaseException:
            self._end()  # so that nobody waits for a job that runs
            raise
        finally:
            pool.shutdown(cancel_futures=True)
            if any(warden.closed for warden in self._all):
                self._all, self._idle = [], SimpleQueue()  # the next run starts afresh

    def _end(self) -> None:
        for warden in self._all:
            warden.close()

    def _start(self) -> None:
        try:
            warden = Warden()
        except (Broken, OSError) as error:
            raise _unavailable(error) from None
        self._all.append(warden)
        self._idle.put(warden)

    def _judge(self, job: Job, limits: Limits) -> Verdict:
        """A job whose warden breaks gets another one; a second break is the machine's fault."""
        for attempt in range(2):
            warden = self._idle.get()
            try:
                verdict = warden.judge(job, limits)
            except (Broken, OSError) as error:
                if warden.closed:  # the whole box is ending
                    raise
                with self._lock:
                    self._replace(warden)
                if attempt:
                    raise _unavailable(error) from None
            else:
                self._idle.put(warden)
                return verdict
        raise AssertionError("unreachable")

    def _replace(self, warden: Warden) -> None:
        warden.close()
        self._all.remove(warden)
        self._start()


def _unavailable(error: Exception) -> UserError:
    return UserError(f"no sandbox to run code in: {error}", hint=_HINT, code=Exit.UNAVAILABLE)


class Warden:
    """A process of `warden.main` and the socket to it."""

    closed = False

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise Broken(f"there is none for {sys.platform}")
        self._control, theirs = socket.socketpair()
        paths = sysconfig.get_paths()
        packages = sorted({paths["purelib"], paths["platlib"]})
        arguments = [_ROOT, str(theirs.fileno()), *packages]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-S", "-P", "-c", _START, *arguments],
                env={"PYTHONHASHSEED": "0"},  # sets of texts are walked in the same order always
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._heard = self._control.makefile("rb")
        try:
            self._hear()
        except Broken:
            self.close()
            raise

    def close(self) -> None:
        """End it and all that it started."""
        self.closed = True
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._control.close()
        self._process.kill()
        self._process.wait()

    def judge(self, job: Job, limits: Limits) -> Verdict:
        """Run one job; Broken where the sandbox fails, which is no verdict."""
        verdict, theirs = socket.socketpair()
        with verdict, theirs:
            asked = json.dumps(dataclasses.asdict(limits)).encode()
            socket.send_fds(self._control, [asked], [theirs.fileno()])
            theirs.close()
            message = _exchange(verdict, dataclasses.asdict(job))
        return _verdict(message, self._hear(), limits)

    def _hear(self) -> dict[str, Any]:
        line = self._heard.readline()
        told: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        if not told or "broken" in told:
            raise Broken(told.get("broken", "its process ended"))
        return told


def _exchange(verdict: socket.socket, job: dict[str, Any]) -> Any:
    """Send a job to the tests' process and wait for its verdict; None where it ends without."""
    channel = Channel(verdict)
    with suppress(Gone):
        channel.send(job)
        return channel.receive()
    return None


def _verdict(message: Any, told: dict[str, Any], limits: Limits) -> Verdict:
    if told["late"]:
        return Verdict(False, f"took longer than {limits.wall} s")
    if isinstance(message, dict) and message.get("passed") is True:
        return Verdict(True)
    if told["answer"]["seconds"] > 0.8 * limits.seconds:  # it counts in ticks
        return Verdict(False, f"took more than {limits.seconds} s of processor time")
    if not isinstance(message, dict):
        return Verdict(False, "the tests ended without a verdict")
    return Verdict(False, str(message.get("reason")))
