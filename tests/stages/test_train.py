"""`train`: run states, and an effect that can be seen of every single setting."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import torch
from safetensors import safe_open

from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError
from instructune.rundir import RunDir
from instructune.stopping import Stopped
from instructune.trackers import trackers
from instructune.training.batches import TokenData
from tests.tuning import chats, result_of, stop_after, train_run, write_rows

STEPS = 4


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a finished run of four steps; to be read only."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("baseline")
    write_rows(folder / "data.jsonl", chats(12))
    train_run(folder, steps=STEPS)
    return folder


@pytest.fixture
def folder(baseline: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(baseline, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path


def weights(run: Path) -> str:
    return result_of(run)["model/model.safetensors"]


class Other:
    """Trains beside the baseline, with settings changed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run = folder, folder / "other"

    def __call__(self, **settings: Any) -> Any:
        given = {"steps": STEPS, "output": str(self.run)} | settings
        return train_run(self.folder, **given)

    def document(self) -> dict[str, Any]:
        return json.loads((self.run / "run.json").read_text())

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in RunDir(self.run).events() if event["event"] == kind]

    def learns_otherwise(self, **settings: Any) -> None:
        """The weights are others than those of the baseline, with the other settings alone."""
        self(**settings)
        assert weights(self.run) != weights(self.folder / "run")

    def refuses(self, code: Exit, told: str, **settings: Any) -> None:
        with pytest.raises(UserError) as raised:
            self(**settings)
        assert raised.value.code == code
        assert told in str(raised.value)


@pytest.fixture
def other(folder: Path) -> Other:
    return Other(folder)


def test_equal_settings_give_equal_bytes(other: Other) -> None:
    other()
    assert result_of(other.run) == result_of(other.folder / "run")
    documents = [
        json.loads((run / "run.json").read_text()) for run in (other.run, other.folder / "run")
    ]
    for document in documents:
        document["config"].pop("output")
        document["result"].pop("run")
    assert documents[0] == documents[1]


def data(other: Other) -> None:
    other.learns_otherwise(data=(write_rows(other.folder / "d.jsonl", chats(12, start=1)),))


def model(other: Other) -> None:
    other(model="tiny-gpt2")
    config = json.loads((other.run / "model/config.json").read_text())
    assert config["model_type"] == "gpt2"


def init_from(other: Other) -> None:
    first = str(other.folder / "run")
    other(init_from=first, model=TrainConfig.model, steps=1)
    before = [event["loss"] for event in RunDir(first).events() if event["event"] == "step"]
    assert other.events("step")[0]["loss"] < min(before)
    assert other.document()["base"] == first
    told = "leave --model out"
    other.refuses(Exit.USAGE, told, init_from=first, model="tiny-gpt2", overwrite=True)


def replay(other: Other) -> None:
    old = write_rows(other.folder / "old.jsonl", chats(9, start=50))
    assert other(replay=(f"{old}:0.25",))["rows"] == 16
    assert other.document()["counts"]["replay"] == {old: {"rows": 4, "wanted": 4, "of": 9}}
    other.refuses(Exit.USAGE, "expected FILE:share", replay=("old.jsonl",))


def retain(other: Other) -> None:
    other.refuses(Exit.MISMATCH, "there is nothing to keep", retain=("l2sp",))
    first = {"init_from": str(other.folder / "run"), "model": TrainConfig.model}
    other(**first)
    before = weights(other.run)
    other(**first, retain=("l2sp:weight=10", "distill"), overwrite=True)
    assert weights(other.run) != before
    other.refuses(Exit.USAGE, "did you mean 'l2sp'?", **first, retain=("l2-sp",))
    other.refuses(Exit.USAGE, "given twice", **first, retain=("l2sp", "l2sp:weight=1"))


def output(other: Other) -> None:
    other(output=str(other.folder / "a/b"))
    assert (other.folder / "a/b/model/model.safetensors").is_file()


def objective(other: Other) -> None:
    other.refuses(Exit.USAGE, "unknown objective 'none'", objective="none")
    other.learns_otherwise(objective="clm:pack=false")  # all is learned, not the answers alone
    assert other.document()["answers"]["objective"] == "clm"


def method(other: Other) -> None:
    other(method="lora:rank=2")
    assert (other.run / "adapter/adapter_model.safetensors").is_file()
    assert other.document()["identity"]["method.rank"] == 2


def held_out(other: Other) -> str:
    return write_rows(other.folder / "eval.jsonl", chats(5, start=70))


def eval_data(other: Other) -> None:
    report = other(eval_data=held_out(other))
    assert report["eval_loss_best"] > 0
    assert len(other.events("eval")) == 2  # at the epoch's end and at the end


def epochs(other: Other) -> None:
    assert other(steps=None, epochs=2.0)["steps"] == 6
    assert other(steps=None, epochs=3.0)["steps"] == 9


def steps(other: Other) -> None:
    assert other(steps=2)["steps"] == 2
    assert [event["step"] for event in other.events("step")] == [1, 2]


def learning_rate(other: Other) -> None:
    other.learns_otherwise(learning_rate=0.01)
    assert other.events("step")[0]["learning_rate"] == 0.01


def optimizer(other: Other) -> None:
    other.learns_otherwise(optimizer="lion")
    assert other.events("step")[0]["learning_rate"] == pytest.approx(2e-4)
    assert other.document()["resolved"]["optimizer"] == "lion:beta1=0.9,beta2=0.99"
    other.refuses(Exit.USAGE, "did you mean 'lion'?", optimizer="loin")


def layer_decay(other: Other) -> None:
    other.learns_otherwise(layer_decay=0.5)
    groups = other.document()["resolved"]["groups"]
    assert {group["rate_share"] for group in groups} == {1.0, 0.5, 0.25}
    total = other.document()["resolved"]["parameters"]
    assert sum(group["parameters"] for group in groups) == total


def label_smoothing(other: Other) -> None:
    other.learns_otherwise(label_smoothing=0.3)


def r_drop(other: Other) -> None:
    other.refuses(Exit.USAGE, "such as --dropout 0.1", r_drop=1.0)
    other(dropout=0.3)
    before = weights(other.run)
    other.learns_otherwise(dropout=0.3, r_drop=1.0, overwrite=True)
    assert weights(other.run) != before


def neftune(other: Other) -> None:
    other.learns_otherwise(neftune=5.0)


def adversarial(other: Other) -> None:
    other.learns_otherwise(adversarial="fgm:epsilon=0.5")
    first = other.events("step")[0]["loss"]
    assert first == RunDir(other.folder / "run").events()[0]["loss"]  # that of clean rows
    other.refuses(Exit.USAGE, "unknown attack 'fgsm'", adversarial="fgsm")


def ema(other: Other) -> None:
    other.learns_otherwise(ema=0.9)


def swa(other: Other) -> None:
    other.learns_otherwise(swa=0.5)


def schedule(other: Other) -> None:
    other.refuses(Exit.USAGE, "did you mean 'linear'?", schedule="liner")
    other.learns_otherwise(schedule="linear")
    rates = [event["learning_rate"] for event in other.events("step")]
    assert rates == pytest.approx([1e-3, 7.5e-4, 5e-4, 2.5e-4])


def warmup(other: Other) -> None:
    other.learns_otherwise(warmup=0.5)
    rates = [event["learning_rate"] for event in other.events("step")]
    assert rates == pytest.approx([5e-4, 1e-3, 1e-3, 5e-4])


def weight_decay(other: Other) -> None:
    other.learns_otherwise(weight_decay=0.5)


def max_grad_norm(other: Other) -> None:
    other.learns_otherwise(max_grad_norm=0.01)
    # AdamW forgets the size of the gradients, but not quite
    assert other.events("step")[0]["grad_norm"] > 0.1


def batch_size(other: Other) -> None:
    assert other(steps=None, epochs=1.0, batch_size=5)["steps"] == 3


def sizes(other: Other, patch: pytest.MonkeyPatch, **settings: Any) -> list[int]:
    """Rows of each forward pass."""
    seen: list[int] = []
    real = TokenData.batch

    def batch(data: TokenData, rows: list[int], pad_id: int, draw: int = 0) -> Any:
        seen.append(len(rows))
        return real(data, rows, pad_id, draw)

    patch.setattr(TokenData, "batch", batch)
    other(**settings)
    return seen


def micro_batch_tokens(other: Other) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert sizes(other, patch, micro_batch_tokens=1) == [1] * 16
    before = RunDir(other.folder / "run").events()
    for one, two in zip(before, other.events("step"), strict=True):
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-5)


def max_length(other: Other) -> None:
    other.refuses(Exit.BAD_DATA, "longer than --max-length 35", max_length=35)


def overflow(other: Other) -> None:
    report = other(max_length=35, overflow="drop", steps=1)
    assert report["rows"] == 9
    assert other.document()["counts"]["encoding"]["longer than --max-length, dropped"] == 3


def train_on(other: Other) -> None:
    other.learns_otherwise(train_on="all")


def template(other: Other) -> None:
    (other.folder / "t.jinja").write_text(
        "{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    other.learns_otherwise(template=str(other.folder / "t.jinja"))
    saved = (other.run / "model/chat_template.jinja").read_text()
    assert saved == (other.folder / "t.jinja").read_text()


def dropout(other: Other) -> None:
    other.learns_otherwise(dropout=0.3)


def eval_every(other: Other) -> None:
    other(eval_data=held_out(other), eval_every=2)
    assert [event["step"] for event in other.events("eval")] == [2, 4]


def eval_first(other: Other) -> None:
    report = other(eval_data=held_out(other), eval_first=True)
    told = other.events("eval")
    assert [event["step"] for event in told] == [0, 3, 4]
    assert report["eval_loss_before"] == told[0]["eval_loss"] > report["eval_loss_best"]


def early_stopping(other: Other) -> None:
    fast = {"learning_rate": 1.0, "schedule": "constant", "eval_every": 1}
    report = other(eval_data=held_out(other), early_stopping=1, steps=9, **fast)
    assert (report["stopped_early"], report["steps"], report["best_step"]) == (True, 2, 1)


def checkpoint_every(other: Other) -> None:
    other(checkpoint_every=2, keep_checkpoints=9)
    names = sorted(path.name for path in (other.run / "checkpoints").iterdir())
    assert names == ["step-000002", "step-000003", "step-000004"]  # 3 is the epoch's end


def keep_checkpoints(other: Other) -> None:
    other(checkpoint_every=1, keep_checkpoints=1)
    assert [path.name for path in (other.run / "checkpoints").iterdir()] == ["step-000004"]


def log_every(other: Other) -> None:
    other(log_every=3)
    assert [event["step"] for event in other.events("step")] == [1, 3, 4]


def dtype(other: Other) -> None:
    other.learns_otherwise(dtype="bfloat16")
    assert other.document()["resolved"]["dtype"] == "bfloat16"


def save_dtype(other: Other) -> None:
    other(save_dtype="float16")
    with safe_open(other.run / "model/model.safetensors", "pt") as tensors:
        assert tensors.get_tensor("model.norm.weight").dtype == torch.float16


def device(other: Other) -> None:
    other.refuses(Exit.UNAVAILABLE, "'nowhere' cannot be used", device="nowhere")


def threads(other: Other) -> None:
    try:
        asked = (os.cpu_count() or 1) + 1  # not what it would be without
        other(threads=asked)
        assert torch.get_num_threads() == asked
        assert other.document()["resolved"]["threads"] == asked
    finally:
        torch.set_num_threads(1)


def seed(other: Other) -> None:
    other.learns_otherwise(seed=1)


def resume(other: Other) -> None:
    told = "holds a run already"
    other.refuses(Exit.CANNOT_CREATE, told, resume="never", output=str(other.folder / "run"))
    other(resume="never")


def overwrite(other: Other) -> None:
    other()
    other(seed=1, overwrite=True)
    assert other.document()["seed"] == 1
    assert weights(other.folder / "other.old") == weights(other.folder / "run")


def dry_run(other: Other) -> None:
    assert other(dry_run=True)["resolved"]["steps"] == STEPS
    assert not other.run.exists()


def columns(other: Other) -> str:
    rows = [{"q": f"say {i}", "a": str(i), "instruction": "x", "output": "y"} for i in range(4)]
    return write_rows(other.folder / "raw.jsonl", rows)


def format(other: Other) -> None:  # noqa: A001
    raw = columns(other)
    other.refuses(Exit.USAGE, "unknown format 'sharegtp'", data=(raw,), format="sharegtp")
    other(data=(raw,), format="alpaca", steps=1)
    assert other.document()["counts"]["formats"] == {"alpaca": 4}


def field(other: Other) -> None:
    raw, path = columns(other), other.folder
    other(data=(raw,), steps=1)
    first = other.document()["fingerprints"]["data"]
    mapped = ("instruction=q", "output=a")
    other(data=(raw,), steps=1, field=mapped, format="alpaca", output=str(path / "mapped"))
    second = json.loads((path / "mapped/run.json").read_text())["fingerprints"]["data"]
    assert first != second


def bad_rows(other: Other) -> None:
    bad = write_rows(other.folder / "bad.jsonl", [*chats(3), {"neither": "nor"}])
    other.refuses(Exit.BAD_DATA, "bad.jsonl:4", data=(bad,))
    aside = str(other.folder / "rejects.jsonl")
    report = other(data=(bad,), bad_rows="quarantine", rejects=aside)
    assert report["rows"] == 3


def rejects(other: Other) -> None:
    bad_rows(other)
    (row,) = map(json.loads, (other.folder / "rejects.jsonl").read_text().splitlines())
    assert row["where"].endswith("bad.jsonl:4")


def track(other: Other) -> None:
    heard: list[int] = []

    class Tracker:
        def __init__(self, run_dir: Path, document: dict[str, Any]) -> None:
            assert document["resolved"]["steps"] == STEPS

        def log(self, event: dict[str, Any]) -> None:
            heard.append(event["step"])

        def close(self) -> None:
            heard.append(0)

    plug_in = SimpleNamespace(Tracker=Tracker, LIBRARY="json", ENVIRONMENT={})
    other.refuses(Exit.USAGE, "unknown tracker 'tensorbord'", track=("tensorbord",))
    with mock.patch.dict(trackers._modules, {"wandb": plug_in}):
        other(track=("wandb",))
    assert heard == [*range(1, STEPS + 1), 0]


EFFECTS: dict[str, Callable[[Other], None]] = {
    f.name: globals()[f.name] for f in dataclasses.fields(TrainConfig) if f.name in globals()
}


def test_every_setting_has_an_effect_to_look_for() -> None:
    assert EFFECTS.keys() == {f.name for f in dataclasses.fields(TrainConfig)}


@pytest.mark.parametrize("name", EFFECTS)
def test_setting(name: str, other: Other) -> None:
    EFFECTS[name](other)


@pytest.mark.slow
@pytest.mark.parametrize("name", EFFECTS)
def test_a_setting_that_nothing_reads_fails_its_test(
    name: str, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever value was given, the training sees the default."""
    from instructune.stages import train

    real = train.train

    def deaf(config: TrainConfig, tell: Any) -> Any:
        config = copy.copy(config)
        object.__setattr__(config, name, getattr(TrainConfig, name))
        return real(config, tell)

    monkeypatch.setattr(train, "train", deaf)
    monkeypatch.chdir(other.folder)
    with pytest.raises((Exception, pytest.fail.Exception)):  # noqa: B017, PT011
        EFFECTS[name](other)


def test_a_finished_run_is_left_alone(folder: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.name != ".lock"}
    heard: list[dict[str, Any]] = []
    report = train_run(folder, heard.append, steps=STEPS)
    told = f"{folder / 'run'}: finished already, nothing to do"
    assert heard == [{"event": "note", "text": told}]
    assert report["notes"] == [told]
    assert (report["steps"], report["rows"]) == (STEPS, 12)
    after = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.name != ".lock"}
    assert after == before


def test_the_same_number_of_steps_in_other_words_is_the_same_run(folder: Path) -> None:
    train_run(folder, steps=None, epochs=STEPS / 3)
    assert json.loads((folder / "run/run.json").read_text())["state"] == "finished"
    assert train_run(folder, steps=STEPS)["notes"][0].endswith("nothing to do")


def test_other_settings_data_model_and_template_are_refused(folder: Path) -> None:
    document = (folder / "run/run.json").read_bytes()
    (folder / "t.jinja").write_text("{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}")
    rows = write_rows(folder / "d.jsonl", chats(12, start=1))
    template = str(folder / "t.jinja")
    changes: list[tuple[dict[str, Any], str]] = [
        ({"seed": 1, "learning_rate": 0.1}, "learning_rate: None -> 0.1; seed: 0 -> 1"),
        ({"steps": 3}, "steps: 4 -> 3"),
        ({"dtype": "bfloat16"}, "dtype: float32 -> bfloat16"),
        ({"method": "lora"}, "method: full -> lora"),
        ({"data": (rows,)}, "fingerprint of data: "),
        ({"model": "tiny-gpt2"}, "fingerprint of model: "),
        ({"template": template}, "fingerprint of tokenizer: "),
    ]
    for changed, told in changes:
        with pytest.raises(UserError) as raised:
            train_run(folder, **({"steps": STEPS} | changed))
        assert raised.value.code == Exit.CANNOT_CREATE
        assert told in raised.value.reason
        assert (folder / "run/run.json").read_bytes() == document


@pytest.mark.parametrize(
    "settings",
    [
        {"data": ("nope.jsonl",)},
        {"max_length": 20},
        {"model": "tiny-lama"},
        {"device": "nowhere"},
        {"method": "lora:target_modules=q_porj"},
    ],
    ids=str,
)
def test_a_failure_before_the_start_leaves_nothing_behind(
    baseline: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    given = {"data": (str(baseline / "data.jsonl"),)} | settings
    for output in ("run", "a/b/run"):
        with pytest.raises(UserError):
            train_run(tmp_path, output=str(tmp_path / output), **given)
        assert list(tmp_path.iterdir()) == []


def test_a_failed_overwrite_puts_the_run_back(folder: Path) -> None:
    before = result_of(folder / "run")
    with pytest.raises(UserError):
        train_run(folder, data=("nope.jsonl",), overwrite=True)
    assert result_of(folder / "run") == before
    assert not (folder / "run.old").exists()


def test_another_dtype_of_the_machine_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instructune.hardware.dtype", lambda asked, on: torch.bfloat16)
    with pytest.raises(UserError) as raised:
        train_run(folder, steps=STEPS + 1, dtype="auto")
    assert raised.value.code == Exit.CANNOT_CREATE
    assert "dtype: float32 -> bfloat16" in raised.value.reason
    assert raised.value.hint == "--dtype float32 goes on with it"


def test_progress_is_told(folder: Path) -> None:
    heard: list[dict[str, Any]] = []
    with pytest.raises(Stopped):

        def tell(event: dict[str, Any]) -> None:
            heard.append(event)
            stop_after(6)(event)

        train_run(folder, tell, steps=8)
    kinds = [(event["event"], event.get("step")) for event in heard]
    assert kinds == [("note", None), ("start", 4), ("step", 5), ("step", 6)]
    assert heard[0]["text"] == f"resumed from {folder / 'run/checkpoints/step-000004'}"
    assert heard[1]["resolved"]["steps"] == 8
    assert json.loads((folder / "run/run.json").read_text())["state"] == "stopped"


def test_the_run_document(baseline: Path) -> None:
    text = (baseline / "run/run.json").read_text()
    document = json.loads(text)
    assert list(document) == [
        "state",
        "base",
        "objective",
        "answers",
        "method",
        "length",
        "seed",
        "base_seed",
        "config",
        "resolved",
        "identity",
        "fingerprints",
        "counts",
        "stop_ids",
        "versions",
        "result",
    ]
    assert document["state"] == "finished"
    assert document["base"] == "tiny-llama"
    assert document["length"] == {"epochs": None, "steps": STEPS}
    assert document["config"]["data"] == ["data.jsonl"]
    assert document["versions"].keys() == {
        "instructune",
        "torch",
        "transformers",
        "peft",
        "tokenizers",
    }
    assert str(baseline) not in text  # nothing of this machine's folders
    result = document["result"]
    events = [event for event in RunDir(baseline / "run").events() if event["event"] == "step"]
    assert result["loss_first"] == events[0]["loss"]
    assert result["loss_last"] == events[-1]["loss"]
    assert result["tokens"] == sum(event["tokens"] for event in events)
    assert result["epochs"] == round(STEPS / 3, 4)
