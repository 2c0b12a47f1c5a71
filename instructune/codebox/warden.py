"""Runs as a process of its own: keeps a bare room, and locks two new processes up for each job.

It never sees a job. The tests' process has the socket on which the job comes and the verdict goes;
the answer's has nothing but a socket to the tests'. Whoever started the warden is told how both
ended. When its own socket closes, the warden ends, and with it everything that it started.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from instructune.codebox import answerer, rooms, syscalls, tester
from instructune.codebox.limits import Limits
from instructune.codebox.lockdown import enter

_STDLIB = """bisect collections copy dataclasses datetime decimal fractions functools hashlib heapq
itertools json math operator random re statistics string typing unittest"""


def main(descriptor: int, packages: list[str]) -> NoReturn:
    """Serve the socket `descriptor`; `packages` are folders that answers may import from."""
    control = socket.socket(fileno=descriptor)
    try:
        with suppress(OSError):  # where memory runs out, this goes first
            Path("/proc/self/oom_score_adj").write_text("1000")
        sys.path[:] = [*sys.path[1:], *packages]  # without this project's own folder
        folders = rooms.python_folders()
        for name in _STDLIB.split():
            importlib.import_module(name)
        root = rooms.leave()
        first = os.fork()
    except Exception as error:  # whatever the machine forbids
        _tell(control, {"broken": str(error) or type(error).__name__})
        os._exit(1)
    if first:
        control.close()
        os.waitpid(first, 0)
        os._exit(0)
    _serve(control, folders, root)


def _serve(control: socket.socket, folders: list[str], root: bool) -> NoReturn:
    try:
        rooms.furnish(folders)
        sys.path = [place for place in sys.path if Path(place).is_dir()]
        os.environ.clear()
        gc.freeze()
        _tell(control, {"ready": True})
    except Exception as error:
        _tell(control, {"broken": str(error) or type(error).__name__})
        os._exit(1)
    while True:
        asked, descriptors, _, _ = socket.recv_fds(control, 1 << 12, 1)
        if not asked:
            os._exit(0)  # process 1: all others of its namespace end with it
        with socket.socket(fileno=descriptors[0]) as verdict:
            told = _run(verdict, Limits(**json.loads(asked)), root)
        _tell(control, told)


def _tell(control: socket.socket, message: dict[str, Any]) -> None:
    with suppress(OSError):
        control.sendall(json.dumps(message).encode() + b"\n")


def _run(verdict: socket.socket, limits: Limits, root: bool) -> dict[str, Any]:
    """Run one job: whether its time ran out, and how each of the two processes ended."""
    ours, theirs = socket.socketpair()
    life, hold = os.pipe()
    started: dict[str, int] = {}
    told: dict[str, Any] = {}
    deadline = time.monotonic() + limits.wall
    try:
        keep = [theirs.fileno()]
        started["answer"] = _locked(lambda: answerer.serve(theirs), keep, limits, root)
        keep = [verdict.fileno(), ours.fileno(), hold]
        started["tests"] = _locked(lambda: tester.judge(verdict, ours), keep, limits, root)
        for end in (ours, theirs):
            end.close()
        os.close(hold)
        hold = -1
        told["late"] = not select.select([life], [], [], max(0, deadline - time.monotonic()))[0]
    except Exception as error:
        told["broken"] = str(error) or type(error).__name__
    finally:
        for end in (ours, theirs):
            end.close()
        os.close(life)
        if hold >= 0:
            os.close(hold)
        for name, process in started.items():
            told[name] = _ended(process)
    return told


def _ended(process: int) -> dict[str, Any]:
    """Kill the first process of a namespace, which takes all others with it; how it ended."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    _, status, used = os.wait4(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "seconds": used.ru_utime + used.ru_stime}


def _locked(act: Callable[[], None], keep: list[int], limits: Limits, root: bool) -> int:
    """Start `act` in namespaces of its own, locked up; the number of its process.

    A child enters fresh namespaces, starts the process that is the first in them, and ends, so
    that the process becomes ours.
    """
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        _between(act, [*keep, tell], tell, limits, root)
    os.close(tell)
    os.waitpid(child, 0)
    heard = bytearray()
    while part := os.read(told, 1 << 12):
        heard += part
    os.close(told)
    number, _, state = heard.decode(errors="replace").partition("\n")
    if state != "locked":
        if number.isdigit():
            _ended(int(number))
        raise OSError(state or number or "a process of the sandbox could not be started")
    return int(number)


def _between(
    act: Callable[[], None], keep: list[int], tell: int, limits: Limits, root: bool
) -> NoReturn:
    try:
        syscalls.unshare(rooms.FRESH)
        gate, opened = os.pipe()
        process = os.fork()
        if process:
            os.write(tell, f"{process}\n".encode())
            os.write(opened, str(process).encode())
            os._exit(0)
        number = int(os.read(gate, 16))
        _keep_only(keep)
        enter(limits, number, root=root)
    except BaseException as error:
        os.write(tell, f"{error or type(error).__name__}".encode())
        os._exit(1)
    os.write(tell, b"locked")
    os.close(tell)
    with suppress(BaseException):
        act()
    os._exit(0)


def _keep_only(descriptors: list[int]) -> None:
    """Close all others; standard input, output and error are nothing."""
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    last = 2
    for descriptor in sorted(descriptors):
        os.closerange(last + 1, descriptor)
        last = descriptor
    os.closerange(last + 1, 1 << 16)
