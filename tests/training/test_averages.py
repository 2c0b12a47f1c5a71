"""Averages of parameters, by hand, and those that a run evaluates and saves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from instructune.configs import TrainConfig
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from instructune.training.averages import Averages
from instructune.training.heads import supervised_loss
from instructune.training.optimizers import Optimizer
from instructune.training.trainer import State, evaluate
from tests.tuning import chats, train_run, work_of, write_rows


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def averaged(
    values: list[float], *, steps: int = 4, dtype: torch.dtype = torch.float32, **settings: Any
) -> tuple[Averages, torch.nn.Linear]:
    """A weight of 2 that has the values given after each step."""
    model = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(2.0)
    model.to(dtype)
    optimizer = Optimizer(model, weight_decay=0.0)
    averages = Averages(TrainConfig(**settings), optimizer, steps)
    for step, value in enumerate(values, start=1):
        with torch.no_grad():
            optimizer.masters[0].fill_(value)
        optimizer.write_back()
        averages.updated(State(step=step))
    return averages, model


def test_a_moving_average_begins_with_the_parameters_at_the_start() -> None:
    averages, model = averaged([4.0, 1.0], ema=0.75)
    with averages.applied():
        # 3/4 of 2 and 1/4 of 4, then 3/4 of that and 1/4 of 1
        assert model.weight.item() == 0.75 * 2.5 + 0.25 * 1.0
    assert model.weight.item() == 1.0
    averages.take()
    assert model.weight.item() == 2.125


def test_an_equal_average_begins_after_its_share_of_the_run() -> None:
    # floor(0.6 * 4) = 2 steps are not in it
    before, model = averaged([8.0, 9.0], swa=0.6)
    with before.applied():
        assert model.weight.item() == 9.0
    averages, model = averaged([8.0, 9.0, 1.0, 3.0], swa=0.6)
    averages.take()
    assert model.weight.item() == 2.0
    averages, model = averaged([1.0, 2.0, 6.0], swa=0.0)
    averages.take()
    assert model.weight.item() == 3.0


def test_nothing_is_averaged_by_default() -> None:
    averages, model = averaged([4.0, 1.0])
    assert averages.saved() == {}
    averages.load({})
    with averages.applied():
        assert model.weight.item() == 1.0
    averages.take()
    assert model.weight.item() == 1.0


def test_in_bfloat16_the_average_is_one_of_masters() -> None:
    averages, model = averaged([1.001, 1.003], swa=0.0, dtype=torch.bfloat16)
    raw = model.weight.detach().clone()
    master = averages.optimizer.masters[0].detach().clone()
    assert averages.tensors[0].item() == pytest.approx(1.002, abs=1e-7)
    with averages.applied():
        assert model.weight.item() == torch.tensor(1.002, dtype=torch.bfloat16).item()
    assert torch.equal(model.weight, raw)
    assert torch.equal(averages.optimizer.masters[0], master)


@pytest.mark.parametrize("settings", [{"ema": 0.9}, {"swa": 0.25}], ids=str)
def test_it_goes_out_and_in(settings: dict[str, float]) -> None:
    straight, _ = averaged([3.0, 0.1, 0.7, 0.2], **settings)
    half, _ = averaged([3.0, 0.1], **settings)
    saved = {name: tensor.clone() for name, tensor in half.saved().items()}
    assert saved.keys() == {"average.weight", "averages"}
    resumed, _ = averaged([], **settings)
    resumed.load(saved)
    for step, value in ((3, 0.7), (4, 0.2)):
        with torch.no_grad():
            resumed.optimizer.masters[0].fill_(value)
        resumed.updated(State(step=step))
    assert torch.equal(resumed.tensors[0], straight.tensors[0])


def masters(run: Path, step: int) -> dict[str, torch.Tensor]:
    tensors = load_file(run / f"checkpoints/step-{step:06d}/state.safetensors")
    return {k.removeprefix("master."): v for k, v in tensors.items() if k.startswith("master.")}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("settings", [{"ema": 0.5}, {"swa": 0.5}], ids=str)
def test_the_average_is_evaluated_and_saved(
    tmp_path: Path, settings: dict[str, float], dtype: str
) -> None:
    write_rows(tmp_path / "data.jsonl", chats(12))
    held_out = write_rows(tmp_path / "eval.jsonl", chats(5, start=70))
    more: dict[str, Any] = {"steps": 4, "checkpoint_every": 1, "keep_checkpoints": 9}
    more |= {"save_dtype": "float32", "dtype": dtype}
    report = train_run(tmp_path, eval_data=held_out, eval_every=4, **more, **settings)
    run = tmp_path / "run"
    # evaluations in between change nothing of what is trained
    train_run(tmp_path, output=str(tmp_path / "plain"), **more)
    for step in (1, 4):
        for name, master in masters(tmp_path / "plain", step).items():
            assert torch.equal(masters(run, step)[name], master)
    saved = load_file(run / "model/model.safetensors")
    files = resolve("tiny-llama", lambda text: None)
    start = load_model(files, dtype=getattr(torch, dtype)).state_dict()
    for name, value in masters(run, 4).items():
        if "ema" in settings:
            wanted = start[name].float()
            for step in range(1, 5):
                wanted = 0.5 * wanted + 0.5 * masters(run, step)[name]
        else:
            wanted = (masters(run, 3)[name] + value) / 2
        torch.testing.assert_close(saved[name], wanted, rtol=1e-6, atol=1e-7)
        assert not torch.equal(saved[name], value)
    model = load_model(resolve(str(run), lambda text: None), dtype=getattr(torch, dtype))
    config = TrainConfig(data=(held_out,), model="tiny-llama", output=str(tmp_path / "x"))
    work = work_of(config)
    found = evaluate(model, work.data, supervised_loss(model), work.pad_id)
    assert report["eval_loss_best"] == pytest.approx(found, rel=1e-4)
    if dtype == "float32":
        assert report["eval_loss_best"] == found
