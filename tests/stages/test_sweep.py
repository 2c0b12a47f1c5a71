"""sweep: what stands in its directory, what goes on and what is refused, and which run is the best.

The trials are real; they run here and not in workers, which `commands.sweep` is tested with.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from instructune.errors import UserError
from instructune.rundir import RunDir
from instructune.stages import sweep as module
from instructune.stages.trial import run_trial
from instructune.sweeping.asked import read_asked
from tests.tuning import chats, result_of, write_rows

TOML = """
[train]
data = "{folder}/data.jsonl"
eval_data = "{folder}/eval.jsonl"
model = "tiny-llama"
method = "lora:rank=2"
steps = 2
batch_size = 4
dtype = "float32"
threads = 1
{train}
[search]
learning_rate = [0.001, 0.01, 0.1]
{search}
[sweep]
sampler = "grid"
{more}
"""


class Here:
    """A pool whose only worker does its jobs in this process."""

    def __init__(self, program: str, count: int) -> None:
        counts.append(count)
        self.workers = [self]
        self.events: list[dict[str, Any]] = []

    def send(self, what: dict[str, Any]) -> None:
        if "train" not in what:
            return
        jobs.append(Path(what["train"]["output"]).name)
        try:
            ended = run_trial(what, lambda event: not self.events.append(event))
            self.events.append({"event": "end", "state": "complete"} | ended)
        except UserError as error:
            self.events.append({"event": "end", "state": "failed"} | error.as_dict())
        self.events.append({"event": "over", "status": 0})

    def listen(self) -> list[tuple[Here, dict[str, Any]]]:
        events, self.events = self.events, []
        return [(self, event) for event in events]

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *error: object) -> None:
        pass


jobs: list[str] = []
counts: list[int] = []


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    monkeypatch.setattr(module, "Pool", Here)
    write_rows(tmp_path / "data.jsonl", chats(8))
    write_rows(tmp_path / "eval.jsonl", chats(2, start=20))

    def sweep(train: str = "", search: str = "", more: str = "", **given: Any) -> dict[str, Any]:
        jobs.clear()
        counts.clear()
        text = TOML.format(folder=tmp_path, train=train, search=search, more=more)
        (tmp_path / "s.toml").write_text(text)
        asked = read_asked(str(tmp_path / "s.toml"), {"output": str(tmp_path / "sw")} | given)
        return module.sweep(asked, lambda event: None)

    return sweep


def document(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "sw/sweep.json").read_text())


def test_a_sweep_and_what_it_leaves(tmp_path, sweep):
    report = sweep()
    assert jobs == ["trial-0000", "trial-0001", "trial-0002"]
    best = min(report["table"], key=lambda row: row["value"])
    assert (report["sweep"], report["metric"], report["mode"]) == ("sw", "eval_loss", "min")
    assert (report["trials"], report["states"], report["steps"]) == (3, {"complete": 3}, 6)
    assert report["best"] == {
        "trial": best["id"],
        "params": best["params"],
        "value": best["value"],
        "retrained": False,
        "run": str(tmp_path / "sw/best"),
    }
    assert os.readlink(tmp_path / "sw/best") == best["id"]
    names = {"best", "sweep.json", "trials.jsonl", "trial-0000", "trial-0001", "trial-0002"}
    assert {path.name for path in (tmp_path / "sw").iterdir()} == names | {".lock"}
    for row in report["table"]:
        run = RunDir(tmp_path / "sw" / row["id"]).document() or {}
        assert run["state"] == "finished"
        assert run["config"]["learning_rate"] == row["params"]["learning_rate"]
        assert run["result"]["eval_loss_best"] == row["value"]
    found = document(tmp_path)
    assert found["state"] == "finished"
    assert found["resolved"]["steps"] == 2
    assert sweep() == report
    assert jobs == []


def test_more_trials_go_on_fewer_do_not(tmp_path, sweep):
    sweep(trials=1)
    assert os.readlink(tmp_path / "sw/best") == "trial-0000"
    sweep()
    assert jobs == ["trial-0001", "trial-0002"]
    with pytest.raises(UserError, match=r"other settings \(trials: 3 -> 2\)") as caught:
        sweep(trials=2)
    assert caught.value.code == 73


def test_another_sweep_is_refused_and_told(tmp_path, sweep):
    sweep(trials=1)
    with pytest.raises(UserError) as caught:
        sweep(train="weight_decay = 0.1", search="seed = [1, 2]", trials=1)
    assert str(caught.value) == (
        f"{tmp_path}/sw: holds a sweep with other settings (train.weight_decay: 0.0 -> 0.1; "
        "search.seed: None -> 1, 2)\n  hint: choose another -o"
    )
    assert caught.value.code == 73
    write_rows(tmp_path / "eval.jsonl", chats(2, start=40))
    with pytest.raises(UserError, match="fingerprint of eval_data: ") as caught:
        sweep(trials=1)
    assert caught.value.code == 73


def test_the_best_is_trained_anew_where_that_would_differ(tmp_path, sweep):
    report = sweep(more="[best]\nsteps = 4")
    best = report["best"]
    assert jobs == ["trial-0000", "trial-0001", "trial-0002", "best"]
    assert best["retrained"]
    run = RunDir(tmp_path / "sw/best").document() or {}
    assert run["result"]["steps"] == 4
    assert run["result"]["eval_loss_best"] == best["retrained_value"]
    assert run["config"]["learning_rate"] == best["params"]["learning_rate"]
    assert sweep(more="[best]\nsteps = 4") == report
    assert jobs == []
    sweep(more="[best]\nsteps = 3")
    assert jobs == ["best"]
    assert RunDir(tmp_path / "sw/best.old").exists
    sweep()
    assert (tmp_path / "sw/best").is_symlink()
    assert RunDir(tmp_path / "sw/best.old-2").exists


def test_a_last_training_that_was_interrupted_is_gone_on_with(tmp_path, sweep, monkeypatch):
    more = "[best]\nsteps = 4"

    def killed(pool: Any, job: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(BaseException, match="."):
        patch.setattr(module, "run_alone", killed)
        sweep(more=more)
    assert document(tmp_path)["state"] == "running"
    report = sweep(more=more)
    assert jobs == ["best"]
    assert report["best"]["retrained"]
    assert not (tmp_path / "sw/best.old").exists()


def test_a_trial_is_the_run_that_train_makes(tmp_path, sweep):
    from tests.tuning import train_run

    sweep(trials=2)
    train_run(
        tmp_path,
        output=str(tmp_path / "own"),
        eval_data=str(tmp_path / "eval.jsonl"),
        method="lora:rank=2",
        steps=2,
        learning_rate=0.01,
    )
    assert result_of(tmp_path / "own") == result_of(tmp_path / "sw/trial-0001")


def test_a_rehearsal_writes_nothing(tmp_path, sweep):
    report = sweep(search='"method.rank" = { low = 1, high = 4 }', dry_run=True, workers=2)
    assert not (tmp_path / "sw").exists()
    assert report["trials"] == report["points"] == 12
    assert (report["rows"], report["steps"], report["workers"]) == (8, 2, 2)
    assert report["search"] == {
        "learning_rate": "0.001, 0.01, 0.1",
        "method.rank": "1 to 4",
    }
    assert jobs == []


@pytest.mark.parametrize(
    ("given", "steps"), [({}, 2), ({"reduction": 2}, 4), ({"min_steps": 5}, 5)]
)
def test_when_a_trial_may_be_stopped(sweep, monkeypatch, given, steps):
    pytest.importorskip("optuna")
    monkeypatch.setattr(module.plan, "steps_of", lambda config, rows: 18)
    assert sweep(dry_run=True, pruning="asha", **given)["min_steps"] == steps
    assert sweep(dry_run=True)["min_steps"] is None


def test_workers_share_the_processors(sweep, monkeypatch):
    monkeypatch.setattr(module, "count", lambda: 8)
    assert sweep(dry_run=True, workers=3)["threads"] == 1  # as [train] has it
    sweep(workers=2, trials=1)
    assert counts == [1]
    monkeypatch.setattr(sys.modules[__name__], "TOML", TOML.replace("threads = 1", ""))
    threads = [sweep(dry_run=True, workers=n)["threads"] for n in (1, 2, 3, 20)]
    assert threads == [8, 4, 2, 1]


def test_a_directory_of_something_else(tmp_path, sweep):
    (tmp_path / "sw").mkdir()
    (tmp_path / "sw/thesis.tex").write_text("")
    with pytest.raises(UserError, match=r"is not a sweep \(it holds thesis.tex\)") as caught:
        sweep()
    assert caught.value.code == 73
    with RunDir(tmp_path / "other").locked(), pytest.raises(UserError) as caught:
        sweep(output=str(tmp_path / "other"))
    assert caught.value.code == 75


def test_bad_data_is_told_once_and_nothing_is_left(tmp_path, sweep):
    (tmp_path / "eval.jsonl").write_text("{\n")
    with pytest.raises(UserError) as caught:
        sweep()
    assert (caught.value.code, jobs) == (65, [])
    assert not (tmp_path / "sw").exists()


def test_where_no_trial_is_complete(tmp_path, sweep, monkeypatch):
    def diverges(job: Any, ask: Any) -> None:
        raise UserError("training became non-finite at step 1", code=module.Exit.NON_FINITE)

    monkeypatch.setitem(globals(), "run_trial", diverges)
    with pytest.raises(UserError) as caught:
        sweep()
    assert caught.value.code == 70
    assert "no trial is complete: 3 of 3 failed, the last one: training became" in str(caught.value)


def test_the_page_is_written_also_when_all_is_done(tmp_path, sweep):
    pytest.importorskip("optuna")
    sweep()
    sweep(report=str(tmp_path / "r.html"))
    assert jobs == []
    assert (tmp_path / "r.html").read_bytes().startswith(b"<!doctype html>")
