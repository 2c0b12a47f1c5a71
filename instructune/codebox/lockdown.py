"""What a process gives up before code that nobody vouches for runs in it."""

from __future__ import annotations

import os
import resource
import signal

from instructune.codebox import rooms, seccomp, syscalls
from instructune.codebox.limits import Limits

_FIRST_USER = 0x70000000  # far above the users of any system; one for each process number
_MEGABYTE = 1 << 20


def enter(limits: Limits, number: int, *, root: bool) -> None:
    """Lock this process, the first of its namespaces, up for good.

    `number` is its process number outside, which makes root's throw-away user its own: the limit
    on processes is counted by user.
    """
    rooms.private_tmp(limits.files)
    os.umask(0o077)
    os.environ.clear()
    _limit(limits)
    syscalls.drop_bounding_set()
    if root:
        os.setgroups([])
        os.setresgid(*[_FIRST_USER + number] * 3)
        os.setresuid(*[_FIRST_USER + number] * 3)
    syscalls.drop_capabilities()
    syscalls.no_new_privileges()
    syscalls.not_dumpable()
    seccomp.restrict()
    for known in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(known, signal.SIG_DFL if known != signal.SIGPIPE else signal.SIG_IGN)


def _limit(limits: Limits) -> None:
    for kind, most in (
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_AS, limits.memory * _MEGABYTE),
        (resource.RLIMIT_FSIZE, limits.files * _MEGABYTE),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(kind, (most, most))
