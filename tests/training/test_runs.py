"""A run directory is new, to be resumed, finished or another's; failures leave it as it was."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from instructune.configs import TrainConfig
from instructune.errors import Exit, Signalled, UserError
from instructune.methods.lora import Options
from instructune.rundir import RunDir
from instructune.training import runs
from instructune.training.runs import Decision

PRINTS = {"data": "d1", "model": "m1", "tokenizer": "t1"}


def start(name: str = "full", options: Any = None, objective: str = "sft") -> Any:
    """What `runs` looks at of a training's start."""
    return SimpleNamespace(name=name, options=options, objective=objective, goes_on=False)


def identity(config: TrainConfig, prints: dict[str, str] = PRINTS) -> dict[str, Any]:
    return runs.identity(config, start(objective=config.objective or "sft"), prints)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    """A finished run of 6 steps."""
    path = tmp_path / "run"
    (path / "model").mkdir(parents=True)
    document = {
        "state": "finished",
        "identity": identity(TrainConfig()),
        "resolved": {"steps": 6, "dtype": "float32"},
    }
    RunDir(path).write_document(document)
    return RunDir(path)


def decide(run: RunDir, planned: int = 6, prints: dict[str, str] = PRINTS, **changed: Any) -> Any:
    config = TrainConfig(**changed)
    return runs.decide(run, config, identity(config, prints), planned)


def edit(run: RunDir, **changed: Any) -> None:
    run.write_document((run.document() or {}) | changed)


def test_what_to_do(run: RunDir, tmp_path: Path) -> None:
    assert decide(RunDir(tmp_path / "none")) is Decision.START
    assert decide(run) is Decision.NOTHING
    assert decide(run, planned=7) is Decision.RESUME
    edit(run, state="running")
    assert decide(run) is Decision.RESUME
    edit(run, state="stopped")
    assert decide(run) is Decision.RESUME
    assert decide(run, planned=7) is Decision.RESUME


def test_a_finished_run_without_its_model_is_finished_again(run: RunDir) -> None:
    (run.path / "model").rmdir()
    assert decide(run) is Decision.RESUME


SAME = {
    "data": ("other.jsonl",),
    "eval_data": "other.jsonl",
    "model": "elsewhere",
    "init_from": "elsewhere",
    "replay": ("old.jsonl:0.1",),
    "output": "elsewhere",
    "template": "named-otherwise",
    "epochs": 9.0,
    "steps": 99,
    "resume": "auto",
    "overwrite": True,
    "dry_run": True,
    "threads": 1,
    "micro_batch_tokens": 64,
    "device": "cpu",
    "dtype": "float32",
    "log_every": 5,
    "eval_first": True,
    "checkpoint_every": 5,
    "keep_checkpoints": 5,
    "format": "alpaca",
    "field": ("a=b",),
    "bad_rows": "quarantine",
    "rejects": "r.jsonl",
    "method": "full",
    "track": ("tensorboard",),
}
OTHER = {
    "retain": ("l2sp",),
    "objective": "dpo",
    "learning_rate": 0.1,
    "optimizer": "lion",
    "schedule": "linear",
    "layer_decay": 0.9,
    "label_smoothing": 0.1,
    "r_drop": 1.0,
    "neftune": 5.0,
    "adversarial": "fgm",
    "ema": 0.9,
    "swa": 0.5,
    "warmup": 0.5,
    "weight_decay": 0.1,
    "max_grad_norm": 2.0,
    "batch_size": 4,
    "max_length": 100,
    "overflow": "drop",
    "train_on": "last",
    "dropout": 0.1,
    "eval_every": 3,
    "early_stopping": 2,
    "dtype": "bfloat16",
    "save_dtype": "float16",
    "seed": 1,
}


def test_every_setting_is_either_the_same_or_another_run() -> None:
    fields = {field.name for field in dataclasses.fields(TrainConfig)}
    assert SAME.keys() | OTHER.keys() == fields
    assert SAME.keys() & OTHER.keys() == {"dtype"}


@pytest.mark.parametrize("name", SAME)
def test_settings_that_change_nothing_that_is_learned(run: RunDir, name: str) -> None:
    more = {"eval_data": "e", "rejects": "r", "bad_rows": "quarantine"}
    changed = {name: SAME[name]} | (more if name in ("bad_rows", "rejects", "eval_first") else {})
    assert decide(run, **changed) is Decision.NOTHING


@pytest.mark.parametrize("name", OTHER)
def test_settings_that_make_another_run(run: RunDir, name: str) -> None:
    before = (run.document() or {})["identity"].get(name, "float32")
    more = {"eval_data": "e"} if name == "early_stopping" else {}
    with pytest.raises(UserError) as raised:
        decide(run, **{name: OTHER[name]} | more)
    error = raised.value
    assert error.code == Exit.CANNOT_CREATE
    assert error.where == str(run.path)
    now = list(OTHER[name]) if isinstance(OTHER[name], tuple) else OTHER[name]
    assert error.reason == f"holds a run with other settings ({name}: {before} -> {now})"
    assert "--overwrite" in (error.hint or "")


def test_other_data_model_or_template(run: RunDir) -> None:
    with pytest.raises(UserError) as raised:
        decide(run, prints={"data": "d2", "model": "m2", "tokenizer": "t2", "eval_data": "e2"})
    for change in ("data: d1 -> d2", "model: m1 -> m2", "tokenizer: t1 -> t2"):
        assert f"fingerprint of {change}" in raised.value.reason
    assert "fingerprint of eval_data: None -> e2" in raised.value.reason
    assert raised.value.code == Exit.CANNOT_CREATE


def test_fewer_steps_are_another_run_and_all_changes_are_named(run: RunDir) -> None:
    with pytest.raises(UserError) as raised:
        decide(run, planned=5, seed=3, batch_size=2, dtype="bfloat16")
    told = "batch_size: 8 -> 2; seed: 0 -> 3; dtype: float32 -> bfloat16; steps: 6 -> 5"
    assert told in raised.value.reason


def test_options_of_the_method_count() -> None:
    def of(options: Options) -> dict[str, Any]:
        return runs.identity(TrainConfig(method="lora:rank=8"), start("lora", options), PRINTS)

    assert of(Options(rank=8)) == of(Options(rank=8))
    assert of(Options(rank=8))["method.rank"] == 8
    assert of(Options(rank=8))["method"] == "lora"
    assert of(Options(rank=8, target_modules=("q_proj",)))["method.target_modules"] == ["q_proj"]


@pytest.mark.parametrize("missing", ["identity", "resolved", "state"])
def test_a_document_of_something_else(run: RunDir, missing: str) -> None:
    document = run.document() or {}
    del document[missing]
    run.write_document(document)
    with pytest.raises(UserError, match="is not what `train` writes") as raised:
        decide(run)
    assert raised.value.code == Exit.CANNOT_CREATE


def test_places(run: RunDir, tmp_path: Path) -> None:
    runs.check_place(run, TrainConfig())
    runs.check_place(RunDir(tmp_path / "none"), TrainConfig())
    with pytest.raises(UserError, match="holds a run already") as raised:
        runs.check_place(run, TrainConfig(resume="never"))
    assert raised.value.code == Exit.CANNOT_CREATE
    place = tmp_path / "place"
    place.mkdir()
    runs.check_place(RunDir(place), TrainConfig(resume="never"))
    # what a kill before the run began may have left
    for name in (".lock", "data.jsonl", ".data.jsonl.tmp-7-ab", ".run.json.tmp-7-ab", "bad.jsonl"):
        (place / name).write_text("")
    rejects = str(place / "bad.jsonl")
    runs.check_place(RunDir(place), TrainConfig(bad_rows="quarantine", rejects=rejects))
    (place / "thesis.tex").write_text("")
    with pytest.raises(
        UserError, match=r"is not a run \(it holds bad.jsonl, thesis.tex\)"
    ) as raised:
        runs.check_place(RunDir(place), TrainConfig())
    assert raised.value.code == Exit.CANNOT_CREATE


def test_a_failure_before_the_run_leaves_nothing(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "a/b/run")
    with pytest.raises(UserError), runs.claimed(run, overwrite=False):
        run.data_path.write_text("rows from a pipe")
        raise UserError("bad")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_directory_stays(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "mine")
    run.path.mkdir()
    with pytest.raises(UserError), runs.claimed(run, overwrite=False):
        raise UserError("bad")
    assert list(run.path.iterdir()) == []


def test_rows_that_were_kept_before_stay(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    run.path.mkdir()
    run.data_path.write_text("rows from a pipe")
    with pytest.raises(UserError), runs.claimed(run, overwrite=False):
        raise UserError("bad")
    assert run.data_path.read_text() == "rows from a pipe"


def test_a_signal_before_the_run_keeps_the_rows(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    with pytest.raises(Signalled), runs.claimed(run, overwrite=False):
        run.data_path.write_text("rows from a pipe")
        raise Signalled(15)
    assert run.data_path.read_text() == "rows from a pipe"


def test_a_failure_in_the_run_keeps_it(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    with pytest.raises(UserError), runs.claimed(run, overwrite=False):
        run.data_path.write_text("rows from a pipe")
        run.write_document({"state": "running"})
        raise UserError("bad")
    assert run.document() == {"state": "running"}
    assert run.data_path.exists()


def test_overwrite_moves_aside_again_and_again(run: RunDir) -> None:
    for name in ("run.old", "run.old-2"):
        with runs.claimed(run, overwrite=True):
            assert [p.name for p in run.path.iterdir()] == [".lock"]
            run.write_document({"state": "running", "new": name})
        assert RunDir(run.path.with_name(name)).exists
    assert (RunDir(run.path.with_name("run.old")).document() or {})["state"] == "finished"
    assert (RunDir(run.path.with_name("run.old-2")).document() or {})["new"] == "run.old"
    with runs.claimed(RunDir(run.path.with_name("other")), overwrite=True):
        pass


@pytest.mark.parametrize("failure", [UserError("bad"), KeyboardInterrupt(), Signalled(15)])
def test_what_was_moved_aside_comes_back_if_nothing_took_its_place(
    run: RunDir, failure: BaseException
) -> None:
    before = run.document()
    with pytest.raises(type(failure)), runs.claimed(run, overwrite=True):
        assert run.path.with_name("run.old").exists()
        raise failure
    assert run.document() == before
    assert sorted(p.name for p in run.path.parent.iterdir()) == ["run"]


def test_a_run_in_use_is_not_moved(run: RunDir) -> None:
    with run.locked():
        with pytest.raises(UserError) as raised, runs.claimed(RunDir(run.path), overwrite=True):
            pass
        assert raised.value.code == Exit.LOCKED
    assert run.exists
    assert not run.path.with_name("run.old").exists()


def test_a_damaged_document_can_be_moved_aside(run: RunDir) -> None:
    (run.path / "run.json").write_text("{")
    with runs.claimed(run, overwrite=True):
        run.write_document({"state": "running"})
    assert run.path.with_name("run.old").exists()
