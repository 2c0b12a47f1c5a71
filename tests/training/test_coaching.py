"""What methods do between the updates: when the loop asks them, and that it survives a stop."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from instructune.methods import methods
from instructune.stopping import Stopped
from instructune.training.coaching import Coach, Coaches
from tests.tuning import chats, result_of, stop_after, train_run, write_rows

SPECS = {
    "adalora": "adalora:rank=4,target_rank=2,dropout=0.1",
    "gradual": "gradual",
    "pissa": "pissa:rank=4",
    "prefix": "prefix:virtual_tokens=3,projection=true,hidden=8",
    "pfeiffer": "pfeiffer:width=4",
}


def test_it_does_nothing_by_itself() -> None:
    coach, tensors, config = Coach(), {"a": torch.ones(1)}, object()
    coach.begin(3)
    coach.gathered()
    coach.updated(4)
    coach.load(coach.tensors())
    assert coach.tensors() == {}
    assert coach.stored(tensors, config) == (tensors, config)


def test_when_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first update; with all gradients; after each update, with them still there."""
    calls: list[Any] = []

    class Watching(Coach):
        def __init__(self, model: Any, options: None, steps: int) -> None:
            self.weight = next(p for p in model.parameters() if p.requires_grad)
            calls.append(("made", steps))

        def begin(self, step: int) -> None:
            calls.append(("begin", step, self.weight.grad is None))

        def gathered(self) -> None:
            calls.append(("gathered", self.weight.grad is not None))
            self.before = self.weight.detach().clone()

        def updated(self, step: int) -> None:
            moved = not self.weight.equal(self.before)
            calls.append(("updated", step, moved, self.weight.grad is not None))

    monkeypatch.setattr(methods["full"], "during", Watching, raising=False)
    write_rows(tmp_path / "data.jsonl", chats(8))
    train_run(tmp_path, steps=2, learning_rate=0.1)
    rounds = [[("gathered", True), ("updated", n, True, True)] for n in (1, 2)]
    assert calls == [("made", 2), ("begin", 0, True), *rounds[0], *rounds[1]]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("adalora", "float32"),
        ("gradual", "bfloat16"),
        ("pissa", "float32"),
        pytest.param("adalora", "bfloat16", marks=pytest.mark.slow),
        pytest.param("gradual", "float32", marks=pytest.mark.slow),
        pytest.param("pissa", "bfloat16", marks=pytest.mark.slow),
        pytest.param("prefix", "float32", marks=pytest.mark.slow),
        pytest.param("pfeiffer", "bfloat16", marks=pytest.mark.slow),
    ],
)
def test_a_resumed_run_equals_a_straight_one(name: str, dtype: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "data.jsonl", chats(40))
    given = {"method": SPECS[name], "dtype": dtype, "checkpoint_every": 4, "learning_rate": 1e-2}
    train_run(tmp_path, output=str(tmp_path / "straight"), epochs=1, **given)
    for step in (1, 3, 6, 8):
        with pytest.raises(Stopped):
            train_run(tmp_path, stop_after(step), epochs=1, **given)
    train_run(tmp_path, epochs=1, **given)
    wanted = result_of(tmp_path / "straight")
    assert result_of(tmp_path / "run") == wanted
    assert len(wanted) > 4


def test_the_best_checkpoint_is_saved_with_its_own_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every evaluation is worse than the first, by which nothing was taken away."""
    losses = itertools.count(1.0)
    monkeypatch.setattr("instructune.training.trainer.evaluate", lambda *given: next(losses))
    write_rows(tmp_path / "data.jsonl", chats(40))
    held_out = write_rows(tmp_path / "eval.jsonl", chats(6, start=100))
    given = {"eval_data": held_out, "eval_every": 1}
    spec = "adalora:rank=4,target_rank=1,warmup=0.5,final=0.3"
    report = train_run(tmp_path, method=spec, epochs=1, **given)
    adapter = tmp_path / "run/adapter"
    tensors = load_file(adapter / "adapter_model.safetensors")
    ranks = {tensor.shape[0] for name, tensor in tensors.items() if "lora_E" in name}
    assert report["best_step"] == 1
    assert ranks == {4}
    assert json.loads((adapter / "adapter_config.json").read_bytes())["rank_pattern"] is None


class Counter(Coach):
    """Counts what it is told, in a checkpoint too."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def begin(self, step: int) -> None:
        self.told.append(step)

    def gathered(self) -> None:
        self.told.append("gathered")

    def updated(self, step: int) -> None:
        self.told.append(step)

    def tensors(self) -> dict[str, torch.Tensor]:
        return {"told": torch.tensor(len(self.told))}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        self.told = [int(tensor) for tensor in tensors.values()]


def test_several_at_once() -> None:
    one, other = Counter(), Counter()
    both = Coaches({"retain.a": one, "method": other})
    both.begin(0)
    both.gathered()
    both.updated(1)
    assert one.told == other.told == [0, "gathered", 1]
    other.begin(7)
    found = both.tensors()
    assert {name: int(tensor) for name, tensor in found.items()} == {
        "retain.a.told": 3,
        "method.told": 4,
    }
    both.load(found | {"method": torch.tensor(9), "rng.cpu": torch.tensor(8)})
    assert (one.told, other.told) == ([3], [4])
