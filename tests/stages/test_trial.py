"""trial: a training whose evaluations are asked about, and its value by loss or by answers."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from instructune.configs import TrainConfig
from instructune.errors import UserError
from instructune.rundir import RunDir
from instructune.stages.trial import run_trial
from instructune.stopping import Stopped
from tests.tuning import chats, result_of, write_rows


def job(
    folder: Path, metric: str = "eval_loss", name: str = "run", **generate: Any
) -> dict[str, Any]:
    config = TrainConfig(
        data=(write_rows(folder / "data.jsonl", chats(8)),),
        eval_data=write_rows(folder / "eval.jsonl", chats(4, start=20)),
        model="tiny-llama",
        output=str(folder / name),
        steps=6,
        eval_every=2,
        batch_size=4,
        dtype="float32",
        threads=1,
        learning_rate=0.01,
    )
    found = {"train": dataclasses.asdict(config), "generate": generate, "metric": metric}
    return json.loads(json.dumps(found))  # as it comes to a worker


def test_the_loss_of_a_trial_and_what_is_asked(tmp_path):
    asked: list[dict[str, Any]] = []
    ended = run_trial(job(tmp_path), lambda event: not asked.append(event))
    assert [(event["event"], event["step"]) for event in asked] == [("eval", s) for s in (2, 4, 6)]
    losses = [event["eval_loss"] for event in asked]
    assert ended == {
        "value": min(losses),
        "steps": 6,
        "evaluations": [[2, losses[0]], [4, losses[1]], [6, losses[2]]],
    }
    # a sweep that was killed before it knew asks once more
    assert run_trial(job(tmp_path), lambda event: True) == ended


def test_a_no_stops_it_there_and_it_can_be_gone_on_with(tmp_path):
    straight = run_trial(job(tmp_path, name="straight"), lambda event: True)
    with pytest.raises(Stopped):
        run_trial(job(tmp_path), lambda event: event["step"] < 4)
    run = RunDir(tmp_path / "run")
    assert (run.document() or {})["state"] == "stopped"
    assert [event["step"] for event in run.events() if event["event"] == "step"] == [1, 2, 3, 4]
    assert run_trial(job(tmp_path), lambda event: True) == straight
    assert result_of(tmp_path / "run") == result_of(tmp_path / "straight")


def test_a_metric_of_answers(tmp_path):
    ended = run_trial(job(tmp_path, "token_f1", max_new_tokens=3), lambda event: True)
    rows = [json.loads(line) for line in (tmp_path / "run/predictions.jsonl").open()]
    assert [row["id"] for row in rows] == [row["id"] for row in chats(4, start=20)]
    assert {row["usage"]["completion_tokens"] <= 3 for row in rows} == {True}
    (summary,) = [json.loads(line) for line in (tmp_path / "run/summary.jsonl").open()]
    assert (summary["metric"], summary["value"]) == ("token_f1", ended["value"])
    assert ended["steps"] == 6


def test_a_metric_that_does_not_fit_the_answers(tmp_path):
    with pytest.raises(UserError):
        run_trial(job(tmp_path, "rmse", max_new_tokens=1), lambda event: True)
