"""A run that was interrupted ends as the one that was not: bit for bit, line by line."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from instructune import rundir
from instructune.errors import Exit, UserError
from instructune.stopping import Stopped
from instructune.training import checkpoints
from instructune.training.optimizers import Optimizer
from tests.tuning import chats, result_of, stop_after, train_run, write_rows

STEPS = 12
METHODS = {
    "full": {"method": "full", "dropout": 0.1},
    "lora": {"method": "lora:rank=4,dropout=0.1", "dropout": 0.1},
}


def settings(method: str, dtype: str, epochs: int) -> dict[str, Any]:
    rows = 4 * STEPS // epochs
    more = {"epochs": epochs, "dtype": dtype, "eval_every": 5, "checkpoint_every": 4}
    if epochs == 2:
        more["micro_batch_tokens"] = 64  # several micro-batches a step
    return METHODS[method] | more | {"rows": rows}


def prepare(folder: Path, rows: int) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    write_rows(folder / "data.jsonl", chats(rows))
    return {"eval_data": write_rows(folder / "eval.jsonl", chats(6, start=100))}


def interrupted(folder: Path, stop: int, **given: Any) -> None:
    with pytest.raises(Stopped) as raised:
        train_run(folder, stop_after(stop), **given)
    assert f": stopped after step {stop} of " in raised.value.message


GRID = list(itertools.product(METHODS, ("float32", "bfloat16"), (1, 2)))
QUICK = [("full", "float32", 2), ("full", "bfloat16", 1), ("lora", "bfloat16", 2)]


@pytest.mark.parametrize(
    ("method", "dtype", "epochs"),
    [
        pytest.param(
            *case, marks=[] if case in QUICK else [pytest.mark.slow], id="-".join(map(str, case))
        )
        for case in GRID
    ],
)
def test_resuming_after_every_step(tmp_path: Path, method: str, dtype: str, epochs: int) -> None:
    """One run, stopped and resumed after each of its steps."""
    given = settings(method, dtype, epochs)
    given |= prepare(tmp_path, given.pop("rows"))
    straight = train_run(tmp_path, output=str(tmp_path / "straight"), **given)
    for step in range(1, STEPS):
        interrupted(tmp_path, step, **given)
    report = train_run(tmp_path, **given)
    assert report["steps_this_time"] == 1
    wanted = result_of(tmp_path / "straight")
    assert result_of(tmp_path / "run") == wanted
    assert len(wanted) > 5
    for key in ("loss_first", "loss_last", "eval_loss_best", "best_step", "tokens", "steps"):
        assert report[key] == straight[key]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "dtype", "epochs"), GRID)
def test_resuming_once_after_any_step(tmp_path: Path, method: str, dtype: str, epochs: int) -> None:
    given = settings(method, dtype, epochs)
    given |= prepare(tmp_path, given.pop("rows"))
    train_run(tmp_path, output=str(tmp_path / "straight"), **given)
    wanted = result_of(tmp_path / "straight")
    for step in range(1, STEPS):
        interrupted(tmp_path, step, **given)
        train_run(tmp_path, **given)
        assert result_of(tmp_path / "run") == wanted
        shutil.rmtree(tmp_path / "run")


@pytest.fixture
def stopped(tmp_path: Path) -> dict[str, Any]:
    """A run of 12 steps, stopped after 9, with checkpoints at 3 (the best), 6 and 9."""
    given = prepare(tmp_path, 24) | {"steps": STEPS, "checkpoint_every": 3, "eval_every": 100}
    interrupted(tmp_path, 9, **given)
    assert steps_of(tmp_path / "run") == [6, 9]
    return given


def steps_of(run: Path) -> list[int]:
    return sorted(checkpoints.step_of(path) for path in checkpoints.listed(run / "checkpoints"))


def straight_result(folder: Path, **given: Any) -> dict[str, str]:
    train_run(folder, output=str(folder / "straight"), **given)
    return result_of(folder / "straight")


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def test_a_damaged_checkpoint_is_passed_over_and_said_so(
    tmp_path: Path, stopped: dict[str, Any]
) -> None:
    run = tmp_path / "run"
    newest = run / "checkpoints/step-000009"
    spoil(newest / "state.safetensors")
    report = train_run(tmp_path, **stopped)
    assert report["notes"] == [
        f"passed over {newest}: state.safetensors is damaged",
        f"resumed from {run / 'checkpoints/step-000006'}",
    ]
    assert report["steps_this_time"] == 6
    assert result_of(run) == straight_result(tmp_path, **stopped)
    # the damaged one was written anew when its step was done again
    assert steps_of(run) == [9, 12]
    assert checkpoints.fault(newest) is None


def test_without_a_good_checkpoint_it_starts_anew(tmp_path: Path, stopped: dict[str, Any]) -> None:
    for path in (tmp_path / "run/checkpoints").glob("*/MANIFEST.json"):
        path.unlink()
    report = train_run(tmp_path, **stopped)
    assert report["steps_this_time"] == STEPS
    assert report["notes"][-1] == f"{tmp_path / 'run'}: no checkpoint to resume from, starting anew"
    assert result_of(tmp_path / "run") == straight_result(tmp_path, **stopped)


def test_a_checkpoint_of_another_run_is_passed_over(
    tmp_path: Path, stopped: dict[str, Any]
) -> None:
    other = {**stopped, "seed": 1, "output": str(tmp_path / "other")}
    interrupted(tmp_path, 9, **other)
    newest = tmp_path / "run/checkpoints/step-000009"
    shutil.rmtree(newest)
    shutil.copytree(tmp_path / "other/checkpoints/step-000009", newest)
    report = train_run(tmp_path, **stopped)
    assert report["notes"][0] == f"passed over {newest}: is of another run"
    assert result_of(tmp_path / "run") == straight_result(tmp_path, **stopped)


def test_a_torn_log_is_mended(tmp_path: Path, stopped: dict[str, Any]) -> None:
    with open(tmp_path / "run/log.jsonl", "ab") as stream:
        stream.write(b'{"event":"step","step":10,"loss":1.0}\n{"event":"st')
    train_run(tmp_path, **stopped)
    assert result_of(tmp_path / "run") == straight_result(tmp_path, **stopped)


def test_what_changes_the_last_bits_is_told(
    tmp_path: Path, stopped: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.__version__
    monkeypatch.setattr("torch.__version__", "9.9.9")
    report = train_run(tmp_path, **stopped, threads=2, micro_batch_tokens=100)
    torch.set_num_threads(1)
    told = ["threads 1", "micro-batch tokens 2048", f"torch {before}"]
    now = ["2", "100", "9.9.9"]
    assert report["notes"][:3] == [
        f"{a} before, {b} now: not bit for bit the same" for a, b in zip(told, now, strict=True)
    ]
    # nearly the same, then
    straight = train_run(tmp_path, output=str(tmp_path / "straight"), **stopped)
    assert report["loss_last"] == pytest.approx(straight["loss_last"], rel=1e-4)


def test_it_goes_on_where_more_steps_are_asked_for(tmp_path: Path) -> None:
    given = prepare(tmp_path, 24) | {"schedule": "constant", "warmup": 0.0}
    train_run(tmp_path, **given, steps=4)
    report = train_run(tmp_path, **given, steps=10)
    assert (report["steps"], report["steps_this_time"]) == (10, 6)
    log = (tmp_path / "run/log.jsonl").read_text()
    steps = [json.loads(line) for line in log.splitlines()]
    assert [event["step"] for event in steps if event["event"] == "step"] == list(range(1, 11))
    # with a schedule that does not depend on their number, the weights are those of a straight run
    straight = straight_result(tmp_path, **given, steps=10)
    assert (
        result_of(tmp_path / "run")["model/model.safetensors"]
        == straight["model/model.safetensors"]
    )
    report = train_run(tmp_path, **given, epochs=2.0)
    assert (report["steps"], report["steps_this_time"]) == (12, 2)


# far too fast: the first evaluation is the best by far
WORSE = {
    "learning_rate": 1.0,
    "schedule": "constant",
    "early_stopping": 1,
    "eval_every": 1,
    "batch_size": 2,
}


def test_early_stopping_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the early stop's checkpoint and the saving of the model."""
    given = prepare(tmp_path, 24) | WORSE | {"steps": 24}
    straight = train_run(tmp_path, output=str(tmp_path / "straight"), **given)
    assert straight["stopped_early"]
    assert straight["steps"] < 24
    with monkeypatch.context() as patch:
        patch.setattr("instructune.training.fitting.save_trained", lambda *parts: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train_run(tmp_path, **given)
    report = train_run(tmp_path, **given)
    assert report["steps_this_time"] == 0
    assert (report["steps"], report["stopped_early"]) == (straight["steps"], True)
    assert result_of(tmp_path / "run") == result_of(tmp_path / "straight")


def test_an_early_stop_is_lifted_by_more_steps(tmp_path: Path) -> None:
    given = prepare(tmp_path, 24) | WORSE
    first = train_run(tmp_path, **given, steps=24)
    assert first["stopped_early"]
    report = train_run(tmp_path, **given, steps=48)
    assert report["steps_this_time"] > 0


def test_a_lost_best_checkpoint_is_told_and_forgotten(tmp_path: Path) -> None:
    given = prepare(tmp_path, 24) | WORSE | {"steps": 6, "early_stopping": None}
    interrupted(tmp_path, 5, **given)
    run = tmp_path / "run"
    best = (run / rundir.BEST).resolve()
    assert checkpoints.step_of(best) < 5
    spoil(best / "state.json")
    report = train_run(tmp_path, **given)
    told = f"{run / 'checkpoints' / best.name}: state.json is damaged; "
    assert report["notes"][0] == told + "the best of the steps to come is kept instead"
    assert report["best_step"] == 5  # evaluated after the stop, and better than the last


def test_a_best_checkpoint_damaged_at_the_end_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = prepare(tmp_path, 24) | WORSE | {"steps": 6, "early_stopping": None}
    real = checkpoints.fault
    monkeypatch.setattr(
        "instructune.training.saving.checkpoints.fault",
        lambda path, check=None: "state.json is damaged",
    )
    with pytest.raises(UserError, match="best checkpoint cannot be saved") as raised:
        train_run(tmp_path, **given)
    assert raised.value.code == Exit.BAD_DATA
    assert not (tmp_path / "run/model").exists()
    monkeypatch.setattr("instructune.training.saving.checkpoints.fault", real)
    report = train_run(tmp_path, **given)
    assert report["best_step"] < 6


def test_links_point_to_the_last_and_the_best(tmp_path: Path) -> None:
    given = prepare(tmp_path, 24) | WORSE | {"steps": 6, "early_stopping": None}
    report = train_run(tmp_path, **given, checkpoint_every=1)
    run = tmp_path / "run"
    assert (run / "last").readlink() == Path("checkpoints/step-000006")
    assert (run / "best").readlink() == Path(f"checkpoints/step-{report['best_step']:06d}")
    assert report["best_step"] < 5  # so that keeping two would not have kept it
    assert steps_of(run) == [report["best_step"], 5, 6]


@pytest.mark.parametrize("links", [0, 1], ids=["before last", "before best"])
def test_a_kill_between_the_last_checkpoint_and_its_links(
    tmp_path: Path, links: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = prepare(tmp_path, 24) | {"steps": 6, "eval_every": 2, "checkpoint_every": 1}
    wanted = straight_result(tmp_path, **given)
    real, saved = checkpoints.point, tmp_path / "run/checkpoints/step-000006"
    made = []

    def point(link: Path, target: Path) -> None:
        if saved.exists():
            made.append(link)
        if len(made) > links:
            link.with_name(f".{link.name}.tmp").symlink_to(target)
            raise KeyboardInterrupt
        real(link, target)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "point", point)
        with pytest.raises(Stopped):
            train_run(tmp_path, **given)
    assert train_run(tmp_path, **given)["steps_this_time"] == 0
    run = tmp_path / "run"
    assert result_of(run) == wanted
    assert (run / "best").readlink() == (tmp_path / "straight/best").readlink()
    assert steps_of(run) == steps_of(tmp_path / "straight")
    assert sorted(p.name for p in run.glob(".*")) == [".lock"]


def test_parameters_that_are_not_numbers_are_never_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss would show it at the next step, but the last step has none."""
    prepare(tmp_path, 8)
    real = Optimizer.step

    def step(optimizer: Optimizer, rate: float) -> None:
        real(optimizer, rate)
        if optimizer.rule.state[optimizer.masters[0]]["step"] == 3:
            optimizer.masters[0].data[0, 0] = float("inf")

    monkeypatch.setattr(Optimizer, "step", step)
    with pytest.raises(UserError, match=r"non-finite: master\..* after step 3") as raised:
        train_run(tmp_path, steps=3)
    assert raised.value.code == Exit.NON_FINITE
    run = tmp_path / "run"
    assert not (run / "model").exists()
    assert steps_of(run) == [2]  # the epoch's end before
    assert json.loads((run / "run.json").read_text())["state"] == "running"


def test_a_checkpoint_holds_tensors_and_json_alone(tmp_path: Path, stopped: dict[str, Any]) -> None:
    path = tmp_path / "run/checkpoints/step-000009"
    assert sorted(p.name for p in path.iterdir()) == [
        "MANIFEST.json",
        "state.json",
        "state.safetensors",
    ]
    tensors = load_file(path / "state.safetensors")
    kinds = {name.partition(".")[0] for name in tensors}
    assert kinds == {"master", "exp_avg", "exp_avg_sq", "step", "rng"}
    saved = json.loads((path / "state.json").read_text())
    assert saved["state"]["step"] == 9
    assert saved["steps"] == STEPS
    assert saved["threads"] == 1
    lines = (tmp_path / "run/log.jsonl").read_bytes().splitlines(keepends=True)
    assert saved["log_size"] == len(b"".join(lines[:9]))


def test_moments_and_rng_are_not_optional(tmp_path: Path, stopped: dict[str, Any]) -> None:
    """A checkpoint whose tensors were thinned out by hand, hashes and all, does not pass."""
    path = tmp_path / "run/checkpoints/step-000009"
    tensors, state = checkpoints.load(path)
    tensors.pop("master.model.norm.weight")
    save_file(tensors, tmp_path / "thin.safetensors")
    checkpoints.save(path.parent, 9, tensors, state)
    with pytest.raises(UserError, match="another model") as raised:
        train_run(tmp_path, **stopped)
    assert raised.value.code == Exit.MISMATCH
