"""starting: which model and method training begins with, and adapters that are trained further."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from instructune.training.starting import Start, start_of
from tests.tuning import chats, fit_of, train_run, write_rows

IDS = torch.arange(40, 60)[None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "data.jsonl", chats(8))
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Path:
    """A run with an adapter on random weights, drawn from a seed that is not the default."""
    train_run(folder, method="lora:rank=2", steps=2, seed=5, output="run", learning_rate=0.01)
    return folder / "run"


def start(**given: Any) -> Start:
    return start_of(TrainConfig(**given), lambda text: None)


def refused(told: str, code: Exit = Exit.USAGE, **given: Any) -> UserError:
    with pytest.raises(UserError) as raised:
        start(**given)
    assert told in str(raised.value)
    assert raised.value.code == code
    return raised.value


def logits(spec: str) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = load_model(resolve(spec), dtype=torch.float32)(IDS).logits
    return found


def test_without_a_run() -> None:
    found = start(model="tiny-llama")
    assert (found.base, found.spec, found.goes_on) == ("tiny-llama", "full", False)
    assert start(model="tiny-llama", method="prompt:virtual_tokens=7").virtual_tokens == 7
    refused("unknown method", model="tiny-llama", method="none")
    refused(
        "adapters are saved in float32", model="tiny-llama", method="lora", save_dtype="bfloat16"
    )


def test_an_adapter_goes_on_as_it_is(run: Path) -> None:
    found = start(init_from="run")
    assert (found.base, found.spec, found.goes_on) == ("tiny-llama", "lora:rank=2", True)
    assert found.model.adapter == Path("run/adapter")
    assert start(init_from="run", method="lora:rank=2").goes_on
    error = refused("trained further as it is (lora:rank=2)", init_from="run", method="lora:rank=4")
    assert "--model run" in str(error.hint)
    refused("not by ia3", init_from="run", method="ia3")


def test_its_weights_are_trained_with_another_kind_of_method(run: Path) -> None:
    found = start(init_from="run", method="full")
    assert (found.goes_on, found.base, found.model.adapter) == (False, "run", None)
    assert [layer.folder for layer in found.model.layers] == [Path("run/adapter")]


def test_a_run_without_an_adapter_keeps_its_method(folder: Path) -> None:
    train_run(folder, method="freeze:layers=1", steps=1, output="run")
    found = start(init_from="run")
    assert (found.spec, found.goes_on, found.base) == ("freeze:layers=1", False, "run")
    assert start(init_from="run", method="lora").name == "lora"


def test_a_plain_adapter_folder_says_no_method(folder: Path) -> None:
    train_run(folder, steps=1, output="base")
    train_run(folder, model="base/model", method="prompt:virtual_tokens=3", steps=1, output="run")
    refused("does not say which method", init_from="run/adapter")
    refused(
        "(prompt), not by prompt:virtual_tokens=3",
        init_from="run/adapter",
        method="prompt:virtual_tokens=3",
    )
    found = start(init_from="run/adapter", method="prompt")
    assert (found.goes_on, found.virtual_tokens, found.base) == (True, 3, "base/model")


def test_it_begins_where_the_other_ended(run: Path, folder: Path) -> None:
    given = {"model": TrainConfig.model, "init_from": "run", "output": "next"}
    fit = fit_of(folder, **given, dropout=None)
    with torch.no_grad():
        assert fit.model.eval()(IDS).logits.equal(logits("run"))
    train_run(folder, **given, steps=2, seed=9, learning_rate=0.01)
    document = json.loads(Path("next/run.json").read_text())
    assert (document["base"], document["base_seed"], document["seed"]) == ("tiny-llama", 5, 9)
    assert not logits("next").allclose(logits("run"), atol=1e-3)
    # on the same random weights, and from there as often as one likes
    assert resolve("next").seed == 5
    train_run(folder, model=TrainConfig.model, init_from="next", output="third", steps=1)
    assert json.loads(Path("third/run.json").read_text())["base_seed"] == 5


def test_adapters_on_adapters(run: Path, folder: Path) -> None:
    before = logits("run")
    train_run(
        folder, model="run", method="lora:rank=1", output="upper", steps=2, learning_rate=0.01
    )
    files = resolve("upper")
    assert [layer.folder for layer in files.layers] == [Path("run/adapter")]
    assert (files.adapter, files.seed, files.base[0]) == (Path("upper/adapter"), 5, "run")
    assert not logits("upper").allclose(before, atol=1e-3)
    assert logits("run").equal(before)
    merged = load_model(files.as_base(), dtype=torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(merged(IDS).logits, logits("upper"), rtol=0, atol=1e-5)
    # the weights under it are not those any more
    train_run(folder, method="lora:rank=2", steps=1, seed=5, output="run", overwrite=True)
    with pytest.raises(UserError, match="has other weights than those it was trained on"):
        resolve("upper")


def test_an_adapter_has_no_place_for_new_labels(folder: Path) -> None:
    def rows(labels: str) -> None:
        found = [{"id": str(i), "text": "ab" * (i + 1), "label": labels[i % 3]} for i in range(6)]
        write_rows(folder / "data.jsonl", found)

    rows("xyx")
    given = {"objective": "classify", "steps": 1}
    train_run(folder, model="tiny-bert", method="lora:rank=2", output="run", **given)
    rows("yxz")
    with pytest.raises(UserError, match="no place for the labels 'z'") as raised:
        train_run(folder, model=TrainConfig.model, init_from="run", output="next", **given)
    assert "--model run" in str(raised.value.hint)
    # on top of it there is one, and the old labels keep their places
    train_run(folder, model="run", method="lora:rank=2", output="next", **given)
    assert resolve("next").head.labels == ("x", "y", "z")
    rows("yxx")
    train_run(folder, model=TrainConfig.model, init_from="run", output="same", steps=1)
    assert json.loads(Path("same/run.json").read_text())["objective"] == "classify"
    assert resolve("same").head.labels == ("x", "y")
