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

from instructune.sweeping.trials import Trials
from tests.tuning import chats, result_of, write_rows

pytest.importorskip("optuna")

TOML = """
[train]
data = "data.jsonl"
eval_data = "eval.jsonl"
model = "tiny-llama"
method = "lora"
steps = 12
eval_every = 3
batch_size = 4
dtype = "float32"
threads = 1
[search]
learning_rate = { low = 1e-4, high = 1e-1, log = true }
"method.rank" = [2, 4, 8]
[sweep]
sampler = "random"
trials = 4
pruning = "asha"
reduction = 2
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


def test_straight_killed_and_stopped(tmp_path: Path, start: Start) -> None:
    code, out, err = ended(start("-o", "straight", "--report", "r.html"))
    assert code == 0, err
    report = json.loads(out)
    assert out.count("\n") == 1
    assert report["trials"] == 4
    assert set(report["states"]) == {"complete", "pruned"}
    best = report["best"]
    lines = err.splitlines()
    assert lines[0].startswith("trial-0000: learning_rate=0.")
    at = lines.index("trials")
    assert lines[at + 1].split() == [
        *("trial", "state", "value", "steps", "learning_rate", "method.rank")
    ]
    assert f"{best['trial']}  complete (best)  {best['value']:.4f}" in err
    assert lines[-1] == f"  straight/best (is {best['trial']})"
    assert (tmp_path / "r.html").read_bytes().startswith(b"<!doctype html>")

    for trial, number in (("trial-0001", signal.SIGTERM), ("trial-0002", signal.SIGKILL)):
        process = start("-o", "stopped")
        until(process, f"{trial}: learning_rate")
        os.kill(process.pid, number)
        code, out, err = ended(process)  # all who hold its stderr are gone then
        assert (code, out) == (-number, "")
        if number == signal.SIGTERM:
            assert err.endswith("stopped: stopped; the same command goes on from there\n")
        last = Trials.read(tmp_path / "stopped")[-1]
        assert (last.id, last.state) == (trial, "running")
    code, out, err = ended(start("-o", "stopped"))
    assert code == 0, err
    assert results(tmp_path / "stopped") == results(tmp_path / "straight")


@pytest.mark.slow
def test_two_at_a_time(tmp_path: Path, start: Start) -> None:
    code, out, err = ended(start("--workers", "2", "--pruning", "none", "--json"))
    assert code == 0, err
    assert err == out
    report = json.loads(out)
    assert report["states"] == {"complete": 4}
    params = [json.dumps(row["params"]) for row in report["table"]]
    assert len(set(params)) == 4


def test_a_rehearsal_and_what_is_wrong(tmp_path: Path, run, start: Start) -> None:
    done = run("sweep", "s.toml", "--dry-run", "--trials", "7")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["trials"] == 7
    assert done.stderr.splitlines() == [
        "7 trials, 12 steps each on 16 rows; 1 at a time with 1 threads",
        "  learning_rate: 0.0001 to 0.1 log",
        "  method.rank: 2, 4, 8",
        "  stopped from step 3 on where they fall behind",
    ]
    assert not (tmp_path / "sweep").exists()
    done = run("sweep", "nowhere.toml")
    assert (done.exit_code, done.stdout) == (66, "")
    done = run("sweep", "s.toml", "--sampler", "grid", "--json")
    assert (done.exit_code, json.loads(done.stderr)["where"]) == (2, "search.learning_rate")
