"""What holds for every objective: early stopping, the best checkpoint, resuming, and kills."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load_file

from instructune.answering.roles import role_of
from instructune.configs import TrainConfig
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from instructune.objectives import objectives
from instructune.rundir import RunDir
from instructune.stopping import Stopped
from instructune.training import checkpoints
from instructune.training.trainer import evaluate
from tests.objective_cases import CASES, ObjectiveCase
from tests.tuning import Server, result_of, stop_after, train_run, work_of, write_rows

STEPS = 6  # two epochs
INTERRUPTED = {
    "steps": STEPS,
    "dropout": 0.1,
    "eval_every": 2,
    "checkpoint_every": 2,
    "micro_batch_tokens": 64,
    "learning_rate": 1e-3,
}


def files_of(folder: Path, case: ObjectiveCase, *, other: bool) -> dict[str, Any]:
    """Settings with rows to learn, and rows to evaluate on."""
    write_rows(folder / "data.jsonl", case.rows(12))
    held_out = write_rows(folder / "eval.jsonl", case.rows(6, other=other))
    return case.settings | {"eval_data": held_out}


def events(run: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in RunDir(run).events() if event["event"] == kind]


def test_every_objective_is_here() -> None:
    assert {case.objective for case in CASES.values()} == set(objectives.names())


@pytest.mark.parametrize("name", CASES)
def test_it_stops_where_it_gets_worse_and_keeps_the_best(name: str, tmp_path: Path) -> None:
    """What is learned is wrong in the evaluation, so its loss rises."""
    given = files_of(tmp_path, CASES[name], other=True)
    pace = {"learning_rate": 3e-3, "schedule": "constant", "warmup": 0.34, "steps": 12}
    report = train_run(
        tmp_path, **given, **pace, eval_every=1, early_stopping=2, keep_checkpoints=1
    )
    run = tmp_path / "run"
    losses = [event["eval_loss"] for event in events(run, "eval")]
    assert report["stopped_early"]
    assert report["steps"] == len(losses) == len(events(run, "step")) < 12
    # the last two are no better than the best, and nowhere before was that so
    lowest = list(accumulate(losses, min))
    quiet = [later >= best for best, later in zip(lowest, losses[1:], strict=False)]
    assert quiet[-2:] == [True, True]
    assert not any(a and b for a, b in zip(quiet[:-2], quiet[1:-1], strict=True))
    best = report["best_step"]
    assert best == len(losses) - 2 == 1 + losses.index(min(losses))
    assert report["eval_loss_best"] == losses[best - 1] < losses[-1]

    saved = load_file(run / "model/model.safetensors")
    assert masters(run / "best", saved)
    assert not masters(run / "last", saved)
    model = load_model(files := resolve(str(run)), dtype=torch.float32, head=role_of(files).head)
    config = TrainConfig((str(tmp_path / "data.jsonl"),), output=str(tmp_path / "x"), **given)
    work = work_of(config)
    assert work.eval_data
    found = evaluate(model, work.eval_data, work.objective.loss(model), work.pad_id)
    assert found == pytest.approx(losses[best - 1], rel=1e-6)


def masters(checkpoint: Path, saved: dict[str, torch.Tensor]) -> bool:
    """Whether the parameters of a checkpoint are those saved; all of them or none of them all."""
    held = load_file(checkpoint / "state.safetensors")
    found = {k.removeprefix("master."): v for k, v in held.items() if k.startswith("master.")}
    assert found.keys() == saved.keys()
    return all(torch.equal(tensor, saved[name]) for name, tensor in found.items())


class Straight(NamedTuple):
    """A run that nothing interrupted: its folder, settings, and what came out."""

    folder: Path
    given: dict[str, Any]
    result: dict[str, str]


@pytest.fixture(scope="module", params=[name for name in CASES if "-" not in name])
def straight(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Straight:
    """One for each objective."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp(request.param)
    given = files_of(folder, CASES[request.param], other=False) | INTERRUPTED
    train_run(folder, output=str(folder / "straight"), **given)
    result = result_of(folder / "straight")
    assert {"log.jsonl", "model/model.safetensors", "last/state.safetensors"} <= result.keys()
    return Straight(folder, given, result)


def test_a_stopped_run_ends_as_one_that_was_not(straight: Straight) -> None:
    """SIGTERM after a step in the midst of the first epoch, and in the second."""
    folder, given, result = straight
    output = {"output": str(folder / "stopped")}
    for step in (1, 5):
        with pytest.raises(Stopped) as raised:
            train_run(folder, stop_after(step), **given, **output)
        assert f": stopped after step {step} of {STEPS}; " in raised.value.message
        assert not (folder / "stopped/model").exists()
    assert train_run(folder, **given, **output)["steps_this_time"] == 1
    assert result_of(folder / "stopped") == result


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


def test_a_killed_run_ends_as_one_that_was_not(straight: Straight, server: Server) -> None:
    """SIGKILL within the writing of the second checkpoint, at step 3, and within step 4."""
    folder, given, result = straight
    more = {"batch_size": 4, "dtype": "float32", "threads": 1, "output": "killed"}
    flags = [
        part for k, v in (given | more).items() for part in (f"--{k.replace('_', '-')}", str(v))
    ]
    run = folder / "killed"
    for place, saved in (("tensors", 2), ("step", 3)):
        triggers = [{"on": place, "n": 2, "signal": signal.SIGKILL}]
        ended = server.run("train", "data.jsonl", *flags, cwd=folder, triggers=triggers)
        assert ended.code == -signal.SIGKILL, ended.err
        assert [event["step"] for event in events(run, "step")] == [1, 2, 3]
        assert checkpoints.newest(run / "checkpoints")[0] == run / f"checkpoints/step-00000{saved}"
    assert train_run(folder, **given, output=str(run))["steps_this_time"] == STEPS - 3
    assert result_of(run) == result
