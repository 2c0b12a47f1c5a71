"""warden: it ends with whoever started it, and takes everything along."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from instructune.codebox import Job
from instructune.codebox.boxes import Warden
from instructune.codebox.limits import Limits

ROOT = Path(__file__).parents[2]


def descendants(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    if not path.exists():
        pytest.skip("this kernel does not tell a process's children")
    children = [int(name) for name in path.read_text().split()]
    return [*children, *(found for child in children for found in descendants(child))]


def gone(processes: list[int]) -> bool:
    for _ in range(500):
        if not any(Path(f"/proc/{process}").exists() for process in processes):
            return True
        time.sleep(0.01)
    return False


def test_nothing_outlives_a_job(sandbox):
    warden = Warden()
    try:
        before = descendants(warden._process.pid)
        answer = (
            "import os\ndef f():\n    if os.fork() == 0:\n        while True: pass\n    return 1"
        )
        assert warden.judge(Job(answer, "assert f() == 1"), Limits()).passed
        assert descendants(warden._process.pid) == before
    finally:
        warden.close()
    assert gone(before)


@pytest.mark.slow
def test_nothing_outlives_a_killed_owner(sandbox):
    program = (
        "import os, signal, threading\nfrom instructune.codebox import Box, Job, Limits\n"
        "box = Box(workers=1)\nbox.run([Job('def f(): return 1', 'f()')])\n"
        "print(box._all[0]._process.pid, flush=True)\n"
        "box.run([Job('def f():\\n  while 1: pass', 'f()')], Limits(seconds=1))\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    warden = int(owner.stdout.readline())
    processes = [warden, *descendants(warden)]
    assert len(processes) > 1
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert gone(processes)


def test_it_sees_no_job():
    """The socket of a job goes to the tests' process unread; only limits are read."""
    source = (ROOT / "instructune/codebox/warden.py").read_text()
    assert source.count("recv") == 1
    assert "Limits(**json.loads(asked))" in source
