"""bottlenecks: the network, its files, and files that do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from instructune.architectures import Head
from instructune.bottlenecks import Bottleneck
from instructune.errors import Exit
from instructune.merging import merged
from tests.method_cases import Case, assert_near, refused


def test_a_network_is_what_its_formula_says() -> None:
    network = Bottleneck(4, 2, "relu")
    states = torch.randn(3, 4)
    assert network(states).equal(states)
    torch.nn.init.normal_(network.up.weight)
    inner = torch.relu(states @ network.down.weight.T + network.down.bias)
    torch.testing.assert_close(network(states), states + inner @ network.up.weight.T)


def test_it_computes_in_float32_and_hands_on_the_dtype_it_got() -> None:
    network = Bottleneck(4, 2, "tanh")
    assert network(torch.ones(1, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert network.down.weight.dtype == torch.float32


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Case, Path]:
    case = Case("houlsby:width=4", "tiny-bert", Head("token", ("a", "b"))).train()
    return case, case.save(tmp_path / "adapter")


def test_its_files(saved: tuple[Case, Path]) -> None:
    case, folder = saved
    config = json.loads((folder / "adapter_config.json").read_bytes())
    assert config["peft_type"] == "INSTRUCTUNE_BOTTLENECK"
    assert config["base_model_name_or_path"] == str(case.files.folder)
    assert (config["task_type"], config["width"]) == ("TOKEN_CLS", 4)
    assert config["heads"] == ["classifier"]
    tensors = load_file(folder / "adapter_model.safetensors")
    assert set(tensors) == set(case.trained)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c["places"].append("nowhere"), "does not fit the model"),
        (lambda c: c.pop("width"), "does not fit the model"),
        (lambda c: c.update(width=5), "its tensors do not fit the model: bert."),
        (lambda c: c.update(task_type="SEQ_CLS"), "is an adapter for SEQ_CLS"),
    ],
)
def test_a_config_that_does_not_fit(
    saved: tuple[Case, Path], change: Callable[[dict[str, Any]], object], told: str
) -> None:
    case, folder = saved
    path = folder / "adapter_config.json"
    config = json.loads(path.read_bytes())
    change(config)
    path.write_text(json.dumps(config))
    with refused(Exit.MISMATCH, told):
        case.load(folder)


def test_a_tensor_that_is_missing(saved: tuple[Case, Path]) -> None:
    case, folder = saved
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    tensors.pop("classifier.weight")
    save_file(tensors, path)
    with refused(Exit.MISMATCH, "its tensors do not fit the model: classifier.weight"):
        case.load(folder)


def test_bfloat16_models_keep_float32_networks(tmp_path: Path) -> None:
    case = Case("pfeiffer:width=4", dtype=torch.bfloat16).train()
    loaded = case.load(case.save(tmp_path / "adapter"))
    assert_near(case.logits(loaded), case.logits(), 1e-6)
    kinds = {p.dtype for n, p in loaded.named_parameters() if "bottleneck" in n}
    assert kinds == {torch.float32}


def test_it_cannot_be_merged(saved: tuple[Case, Path]) -> None:
    case, folder = saved
    with refused(Exit.MISMATCH, "its adapter is no change of weights"):
        merged(case.load(folder), "run")
