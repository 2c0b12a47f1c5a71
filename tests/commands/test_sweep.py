"""`instructune sweep` as processes: what it says, how it stops, and that it ends all the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from instructune.rundir import RunDir
from instructune.stages import sweep as stage
from instructune.sweeping.asked import read_asked
from instructune.sweeping.trials import Trials
from tests.stages.test_sweep import Here
from tests.tuning import chats, result_of, write_rows

pytest.importorskip("optuna")

TOML = """
[train]
data = "data.jsonl"
eval_data = "eval.jsonl"
model = "tiny-llama"
method = "lora"
steps = 6
eval_every = 2
batch_size = 4
dtype = "float32"
threads = 1
[search]
learning_rate = { low = 1e-4, high = 1e-1, log = true }
"method.rank" = [2, 4, 8]
[sweep]
sampler = "random"
trials = 3
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    write_rows(tmp_path / "data.jsonl", chats(16))
    write_rows(tmp_path / "eval.jsonl", chats(4, start=20))
    (tmp_path / "s.toml").write_text(TOML)

    def start(*args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "instructune", "sweep", "s.toml", *args]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True)

    return start


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def until(process: subprocess.Popen[str], beginning: str) -> None:
    assert process.stderr
    for line in process.stderr:
        if line.startswith(beginning):
            return
    raise AssertionError(f"it never said {beginning!r}")


def results(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"table": (folder / "trials.jsonl").read_bytes()}
    for trial in Trials.read(folder):
        if trial.state == "complete":
            found[trial.id] = result_of(folder / trial.id)
    return found


def test_stopped_and_killed_it_ends_as_it_would_have(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trial, number in (("trial-0000", signal.SIGTERM), ("trial-0001", signal.SIGKILL)):
        process = start("-o", "stopped")
        until(process, f"{trial}: learning_rate")
        os.kill(process.pid, number)
        code, out, err = ended(process)  # all who hold its stderr are gone then
        assert (code, out) == (-number, "")
        if number == signal.SIGTERM:
            assert err == "stopped: stopped; the same command goes on from there\n"
        last = Trials.read(tmp_path / "stopped")[-1]
        assert (last.id, last.state) == (trial, "running")
    code, out, err = ended(start("-o", "stopped", "--report", "r.html"))
    assert code == 0, err
    report = json.loads(out)
    assert out.count("\n") == 1
    assert (report["trials"], report["states"]) == (3, {"complete": 3})
    best, lines = report["best"], err.splitlines()
    assert lines[0].startswith("trial-0001: learning_rate=0.")
    at = lines.index("trials")
    assert lines[at + 1].split() == [
        *("trial", "state", "value", "steps", "learning_rate", "method.rank")
    ]
    assert f"{best['trial']}  complete (best)  {best['value']:.4f}" in err
    assert lines[-3] == "3 trials: 3 complete; 18 steps in all"
    assert lines[-1] == f"  stopped/best (is {best['trial']})"
    assert (tmp_path / "r.html").read_bytes().startswith(b"<!doctype html>")

    monkeypatch.setattr(stage, "Pool", Here)
    monkeypatch.chdir(tmp_path)
    stage.sweep(read_asked("s.toml", {"output": "straight"}), lambda event: None)
    assert results(tmp_path / "stopped") == results(tmp_path / "straight")


@pytest.mark.slow
def test_two_at_a_time_and_those_that_fall_behind_are_stopped(tmp_path: Path, start: Start) -> None:
    asked = ("--workers", "2", "--pruning", "asha", "--reduction", "2", "--trials", "6", "--json")
    code, out, err = ended(start(*asked))
    assert code == 0, err
    assert err == out
    report = json.loads(out)
    assert report["states"].keys() == {"complete", "pruned"}
    for row in report["table"]:
        run = RunDir(tmp_path / "sweep" / row["id"])
        state = (run.document() or {})["state"]
        assert state == {"complete": "finished", "pruned": "stopped"}[row["state"]]
        steps = [event["step"] for event in run.events() if event["event"] == "step"]
        assert steps == list(range(1, row["steps"] + 1))
        assert (row["steps"] == 6) == (row["state"] == "complete")


def test_a_rehearsal_and_what_is_wrong(tmp_path: Path, run, start: Start) -> None:
    done = run("sweep", "s.toml", "--dry-run", "--trials", "7", "--pruning", "asha")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["trials"] == 7
    assert done.stderr.splitlines() == [
        "7 trials, 6 steps each on 16 rows; 1 at a time with 1 threads",
        "  learning_rate: 0.0001 to 0.1 log",
        "  method.rank: 2, 4, 8",
        "  stopped from step 1 on where they fall behind",
    ]
    assert not (tmp_path / "sweep").exists()
    done = run("sweep", "nowhere.toml")
    assert (done.exit_code, done.stdout) == (66, "")
    done = run("sweep", "s.toml", "--sampler", "grid", "--json")
    assert (done.exit_code, json.loads(done.stderr)["where"]) == (2, "search.learning_rate")
