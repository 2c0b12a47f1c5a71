"""worker: one job after the other, each in a fork; whatever it does, the worker says how it ended.

The worker is a process of its own, whose program is this module's `main`.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from instructune.errors import Exit, UserError
from instructune.sweeping import pool as module
from instructune.sweeping.pool import Pool
from instructune.sweeping.worker import Ask, serve


def main(parent: int) -> None:
    serve(_load, _work, parent)


def _load() -> None:
    select.select([], [], [], float(os.environ.get("SLOW_TO_LOAD", "0")))


def _work(job: dict[str, Any], ask: Ask) -> dict[str, Any]:
    how = job["how"]
    print("what libraries print")
    if how == "asks":
        return {"answers": [ask({"event": "eval", "step": step}) for step in (1, 2)]}
    if how == "fails":
        raise UserError("no such thing", where="w", hint="h", code=Exit.MISMATCH)
    if how == "has a bug":
        raise ZeroDivisionError("by zero")
    if how == "needs memory":
        raise MemoryError
    if how == "imports":
        known = "instructune.bm25" in sys.modules
        importlib.import_module("instructune.bm25")
        return {"known": known}
    if how == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "is stopped":
        os.kill(os.getpid(), signal.SIGTERM)
    if how == "waits":
        try:
            ask({"event": "eval", "pid": os.getpid()})
            while True:  # not for a signal: one may come just before
                select.select([], [], [], 0.01)
        finally:
            Path(job["path"]).write_text("saved")
    return {"pid": os.getpid(), "stdin": sys.stdin.read()}


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(module, "_ROOT", str(Path(__file__).parents[2]))
    return "tests.sweeping.test_worker"


def until_over(pool: Pool) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while not events or events[-1]["event"] not in ("over", "dead"):
        for worker, event in pool.listen():
            events.append(event)
            if event["event"] == "eval":
                worker.send({"go": event["step"] == 1})
    return events


def test_jobs_one_after_the_other(capfd: pytest.CaptureFixture[str], program: str) -> None:
    with Pool(program, 1) as pool:
        do_jobs(pool)
    out, err = capfd.readouterr()
    assert out == ""  # what a job prints is not what it says
    assert "ZeroDivisionError: by zero" in err


def do_jobs(pool: Pool) -> None:
    pids = set()
    for how, ended in {
        "is well": {"state": "complete", "stdin": ""},
        "fails": {
            "state": "failed",
            "error": "no such thing",
            "where": "w",
            "hint": "h",
            "code": 78,
        },
        "has a bug": {"state": "failed", "error": "ZeroDivisionError: by zero", "code": 1},
        "needs memory": {"state": "failed", "error": "out of memory", "code": 71},
        "is stopped": {"state": "stopped"},
        "imports": {"state": "complete", "known": False},
        "asks": {"state": "complete", "answers": [True, False]},
    }.items():
        pool.workers[0].send({"how": how})
        *asked, end, over = until_over(pool)
        pids.add(end.pop("pid", 0))
        assert end == {"event": "end"} | ended
        assert over == {"event": "over", "status": 0}
        assert [event["step"] for event in asked] == ([1, 2] if how == "asks" else [])
    pool.workers[0].send({"how": "imports"})
    assert until_over(pool)[0]["known"]  # a job need not import what one before it did
    pool.workers[0].send({"how": "is killed"})
    assert until_over(pool) == [{"event": "over", "status": -9}]
    assert pool.workers[0].process.pid not in pids
