"""seccomp: the filter's steps do what they say, run by hand, and the kernel agrees."""

from __future__ import annotations

import struct

import pytest

from instructune.codebox import Job
from instructune.codebox.seccomp import _AUDIT, denied, program

ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x50001, 0x50026, 0x80000000


def outcome(machine: str, number: int, first: int = 0, audit: int | None = None) -> int:
    """What the program returns for a call: an interpreter of the steps it uses."""
    data = struct.pack("=IIQQ", number, audit or _AUDIT[machine], 0, first)
    steps = list(struct.iter_unpack("HBBI", program(machine)))
    at = value = 0
    while True:
        code, yes, no, operand = steps[at]
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("=I", data, operand)
        elif code == 0x06:
            return operand
        else:
            hit = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}
            at += yes if hit[code] else no


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter(machine):
    clone = {"x86_64": 56, "aarch64": 220}[machine]
    numbers = range(460)
    refused = {n for n in numbers if outcome(machine, n) == EPERM}
    assert refused == set(denied(machine))
    assert {n for n in numbers if outcome(machine, n) == ENOSYS} == {435}
    assert outcome(machine, clone, 0x01200011) == ALLOW  # fork
    assert outcome(machine, clone, 0x003D0F00) == ALLOW  # a thread
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000):
        assert outcome(machine, clone, flag | 17) == EPERM
    assert outcome(machine, clone, 0x40000000 | 17) == EPERM
    assert outcome(machine, 1, audit=0x40000003) == KILL  # calls numbered as on another machine


def test_the_other_numbering_of_x86_is_refused():
    assert outcome("x86_64", 0x40000000 + 1) == EPERM


def test_the_kernel_takes_it(sandbox):
    answer = "import ctypes\nlibc = ctypes.CDLL(None)\ndef f(): return libc.unshare(0x20000)"
    assert sandbox.run([Job(answer, "assert f() == -1")]) == [(True, None)]
    thread = (
        "import threading\ndef f():\n    found = []\n"
        "    t = threading.Thread(target=found.append, args=(1,))\n"
        "    t.start(); t.join()\n    return found"
    )
    assert sandbox.run([Job(thread, "assert f() == [1]")]) == [(True, None)]
