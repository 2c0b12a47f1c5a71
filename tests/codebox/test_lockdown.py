"""lockdown: each limit holds, seen from inside."""

from __future__ import annotations

import pytest

from instructune.codebox import Job, Limits

LOOK = "import resource\ndef limit(name): return resource.getrlimit(getattr(resource, name))"


@pytest.mark.parametrize(
    ("name", "limits", "expected"),
    [
        ("RLIMIT_CPU", Limits(seconds=3), 3),
        ("RLIMIT_AS", Limits(memory=300), 300 << 20),
        ("RLIMIT_FSIZE", Limits(files=4), 4 << 20),
        ("RLIMIT_NPROC", Limits(processes=5), 5),
        ("RLIMIT_NOFILE", Limits(), 64),
        ("RLIMIT_CORE", Limits(), 0),
        ("RLIMIT_MEMLOCK", Limits(), 0),
        ("RLIMIT_MSGQUEUE", Limits(), 0),
    ],
)
def test_limits(sandbox, name, limits, expected):
    tests = f"assert limit({name!r}) == ({expected}, {expected})"
    assert sandbox.run([Job(LOOK, tests)], limits) == [(True, None)]


@pytest.mark.slow
def test_waiting_ends_too(sandbox):
    job = Job("import time\ndef f(): time.sleep(60)", "f()")
    assert sandbox.run([job], Limits(seconds=1)) == [(False, "took longer than 3 s")]


def test_it_has_no_privileges(sandbox):
    answer = """
import ctypes
libc = ctypes.CDLL(None)
def capabilities():
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, data) == 0
    return sum(data)
def bounding(): return [libc.prctl(23, n, 0, 0, 0) for n in range(8)]
def new_privileges(): return libc.prctl(39, 0, 0, 0, 0)
def dumpable(): return libc.prctl(3, 0, 0, 0, 0)
def filtered(): return libc.prctl(21, 0, 0, 0, 0)
"""
    tests = (
        "assert capabilities() == 0 and bounding() == [0] * 8\n"
        "assert new_privileges() == 1 and dumpable() == 0 and filtered() == 2"
    )
    assert sandbox.run([Job(answer, tests)]) == [(True, None)]
