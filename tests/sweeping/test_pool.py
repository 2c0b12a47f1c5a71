"""pool: nobody is left behind, whether the pool is closed, its worker dies, or its parent does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from instructune.sweeping.pool import Pool
from tests.sweeping.test_worker import program, until_over

__all__ = ["program"]  # a fixture


def waiting(pool: Pool, path: Path) -> int:
    """Start a job that waits; its process."""
    pool.workers[0].send({"how": "waits", "path": str(path)})
    while not (heard := pool.listen()):  # the first words are that they are ready
        continue
    ((worker, event),) = heard
    worker.send({"go": True})
    return event["pid"]


def test_closing_lets_a_job_save(tmp_path: Path, program: str) -> None:
    with Pool(program, 2) as pool:
        pid = waiting(pool, tmp_path / "f")
    assert (tmp_path / "f").read_text() == "saved"
    assert not Path(f"/proc/{pid}").exists()
    assert pool.workers[0].process.returncode == 0


def test_one_that_still_loads_is_not_waited_for(monkeypatch, program: str) -> None:
    monkeypatch.setenv("SLOW_TO_LOAD", "600")
    with Pool(program, 1) as pool:
        pool.workers[0].send({"how": "is well"})
    assert pool.workers[0].process.returncode == -9


def test_a_worker_that_is_killed_is_told_and_takes_its_job_along(tmp_path, program) -> None:
    with Pool(program, 1) as pool:
        waiting(pool, tmp_path / "f")
        pool.workers[0].process.kill()
        # the job holds the pipe until it has saved
        assert until_over(pool)[-1] == {"event": "dead", "status": -9}
    assert (tmp_path / "f").read_text() == "saved"


PARENT = """
import sys
from pathlib import Path
from instructune.sweeping.pool import Pool
from tests.sweeping.test_pool import waiting
pool = Pool("tests.sweeping.test_worker", 1)
waiting(pool, Path(sys.argv[1]))
print("started", flush=True)
pool.listen()
"""


def test_nobody_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "f")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert parent.stdout
    assert parent.stderr
    assert parent.stdout.readline() == b"started\n"
    os.kill(parent.pid, signal.SIGKILL)
    parent.stderr.read()  # ends when the last of them, who all hold it, is gone
    parent.wait()
    assert (tmp_path / "f").read_text() == "saved"
    parent.stdout.close()
    parent.stderr.close()
