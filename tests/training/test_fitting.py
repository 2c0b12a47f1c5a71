"""A fit: what is put together, resolved, and told; and how it ends when it cannot go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from tests.tuning import chats, fit_of, train_run, write_rows

IDS = torch.arange(40, 80)[None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.set_num_threads(1)
    write_rows(tmp_path / "data.jsonl", chats(8))
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 1e-3),
        ({"method": "lora"}, 1e-3),
        ({"model": "trained"}, 2e-5),
        ({"model": "trained", "method": "lora"}, 2e-4),
        ({"model": "trained", "learning_rate": 0.5}, 0.5),
    ],
)
def test_the_learning_rate_by_what_is_trained(
    folder: Path, settings: dict[str, Any], rate: float
) -> None:
    if "model" in settings:
        train_run(folder, output=str(folder / "trained"), steps=1)
        settings = settings | {"model": str(folder / "trained")}
    assert fit_of(folder, **settings).plan.learning_rate == rate


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_model_and_its_masters(folder: Path, dtype: str) -> None:
    fitted = fit_of(folder, dtype=dtype)
    assert {p.dtype for p in fitted.model.parameters()} == {getattr(torch, dtype)}
    assert {m.dtype for m in fitted.optimizer.masters} == {torch.float32}
    assert fitted.trainable == fitted.parameters == 109120
    adapted = fit_of(folder, dtype=dtype, method="lora")
    trained = [p for p in adapted.model.parameters() if p.requires_grad]
    assert {p.dtype for p in trained} == {torch.float32}


def test_equal_seeds_draw_equal_adapters(folder: Path) -> None:
    first, again, other = (fit_of(folder, method="lora", seed=seed) for seed in (0, 0, 1))
    draw = [torch.cat([m.flatten() for m in f.optimizer.masters]) for f in (first, again, other)]
    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])


def test_dropout_of_the_adapter_is_its_own(folder: Path) -> None:
    fitted = fit_of(folder, method="lora:dropout=0.25", dropout=0.125)
    modules = dict(fitted.model.named_modules())
    assert {m.p for n, m in modules.items() if "lora_dropout.default" in n} == {0.25}
    layers = [m for n, m in modules.items() if n.endswith("self_attn")]
    assert {layer.attention_dropout for layer in layers} == {0.125}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_full_training_of_a_run_with_an_adapter_begins_with_both(folder: Path, dtype: str) -> None:
    train_run(folder, output=str(folder / "base"), steps=2)
    model = str(folder / "base/model")
    given = {"model": model, "method": "lora:rank=4", "learning_rate": 0.05, "steps": 4}
    train_run(folder, output=str(folder / "adapted"), **given)
    adapted = load_model(resolve(str(folder / "adapted")), dtype=torch.float32)
    fitted = fit_of(folder, model=str(folder / "adapted"), dtype=dtype)
    with torch.no_grad():
        wanted = adapted(input_ids=IDS).logits
        found = fitted.model.eval()(input_ids=IDS).logits.float()
        base = load_model(resolve(model), dtype=torch.float32)(input_ids=IDS).logits
    error, update = (found - wanted).norm(), (base - wanted).norm()
    print(error, update, (found - wanted).abs().max())
    assert error < {"float32": 1e-5, "bfloat16": 0.1}[dtype] * update
    # and what is saved is a model of its own
    train_run(folder, model=str(folder / "adapted"), output=str(folder / "next"), steps=1)
    assert (folder / "next/model/model.safetensors").is_file()
    saved = load_file(folder / "next/model/model.safetensors")
    assert saved.keys() == load_file(folder / "base/model/model.safetensors").keys()


def test_an_adapter_that_cannot_be_merged(folder: Path) -> None:
    import peft

    train_run(folder, output=str(folder / "base"), steps=1)
    model = load_model(resolve(str(folder / "base/model")), dtype=torch.float32)
    config = peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    adapted: Any = peft.get_peft_model(model, config)
    adapted.peft_config["default"].base_model_name_or_path = str(folder / "base/model")
    adapted.save_pretrained(folder / "prefix")
    with pytest.raises(UserError, match="its adapter is no change of weights") as raised:
        fit_of(folder, model=str(folder / "prefix"))
    assert raised.value.code == Exit.MISMATCH


def test_the_report_of_a_run(folder: Path) -> None:
    report = train_run(folder, epochs=1.5)
    assert report.pop("seconds") >= report.pop("training_seconds") > 0
    assert report.pop("tokens_per_second") > 0
    assert report.pop("peak_memory") > 1e6
    document = json.loads((folder / "run/run.json").read_text())
    assert report == document["result"] | {"steps_this_time": 3, "notes": []}
    assert document["result"]["run"] == "run"
    assert document["result"]["steps"] == 3
    assert document["result"]["rows"] == 8


def test_a_lack_of_memory_is_told_as_such(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def huge(objective: Any, model: Any) -> Any:
        return lambda batch: torch.empty(1 << 60, dtype=torch.uint8)

    monkeypatch.setattr("instructune.objectives.sft.Objective.loss", huge)
    with pytest.raises(MemoryError):
        train_run(folder)
    with pytest.raises(MemoryError):
        train_run(folder, dry_run=True)
    monkeypatch.undo()
    # with less at once it goes on, though nothing but the memory's share was changed
    assert train_run(folder, micro_batch_tokens=32)["steps"] == 6


def test_a_row_of_huge_weight_is_not_swallowed(folder: Path) -> None:
    rows = chats(8)
    rows[5]["weight"] = 1e39  # more than float32 holds
    write_rows(folder / "data.jsonl", rows)
    with pytest.raises(UserError, match=r"non-finite at step \d: loss nan; .*sum-5") as raised:
        train_run(folder)
    assert raised.value.code == Exit.NON_FINITE
    assert not (folder / "run/model").exists()
