"""adapters: folders that peft wrote, refused where they are of something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from instructune.adapters import with_adapter
from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import resolve
from instructune.methods import lora
from instructune.models import load_model
from instructune.training.coaching import Coach
from instructune.training.saving import save_adapter
from tests.method_cases import Case, assert_near

IDS = torch.arange(40, 60)[None]


def model() -> Any:
    return load_model(resolve("tiny-llama"), dtype=torch.float32, seed=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    adapted = lora.apply(model(), lora.Options(rank=2))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.fill_(0.1)
    adapted.save_pretrained(tmp_path, save_embedding_layers=False)
    return tmp_path


def changed(folder: Path, **settings: Any) -> Path:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    return folder


def test_it_changes_what_the_model_says(folder):
    plain = model()
    before = plain(IDS).logits.detach()
    after = with_adapter(plain, folder, "CAUSAL_LM")(IDS).logits
    assert not torch.allclose(before, after, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"task_type": "SEQ_CLS"}, "is an adapter for SEQ_CLS"),
        ({"peft_type": "MAGIC"}, "peft knows no 'MAGIC'"),
        ({"use_magic": True}, "uses use_magic, which the installed peft lacks"),
        ({"megatron_config": {"a": 1}}, "uses megatron_config"),
    ],
)
def test_a_config_that_is_not_understood(folder, settings, reason):
    with pytest.raises(UserError, match=reason) as raised:
        with_adapter(model(), changed(folder, **settings), "CAUSAL_LM")
    assert raised.value.code == Exit.MISMATCH


def test_tensors_missing_or_left_over(folder):
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    name = next(iter(tensors))
    save_file({k: v for k, v in tensors.items() if k != name}, path)
    with pytest.raises(UserError, match="1 adapter tensors missing"):
        with_adapter(model(), folder, "CAUSAL_LM")
    save_file(tensors | {"base_model.model.odd.weight": tensors[name].clone()}, path)
    with pytest.raises(UserError, match="1 adapter tensors the model has no place for"):
        with_adapter(model(), folder, "CAUSAL_LM")


@pytest.mark.parametrize(
    "spec",
    [
        *("lora:rank=2", "rslora:rank=2", "dora:rank=2", "pissa:rank=2", "olora:rank=2"),
        *("adalora:rank=4,target_rank=2", "ia3", "loha:rank=2", "lokr:rank=2", "vera:rank=8"),
        *("oft:block_size=16", "layernorm", "pfeiffer:width=4", "houlsby:width=4"),
        *("prefix:virtual_tokens=3", "prompt:virtual_tokens=3", "ptuning:virtual_tokens=3"),
        *("qlora:rank=2", "loftq:rank=2"),
    ],
)
def test_one_that_is_trained_further(spec: str, tmp_path: Path) -> None:
    case = Case(spec).train()
    folder = case.save(tmp_path / "adapter")
    found = case.load(folder, trainable=True)
    assert_near(case.logits(found), case.logits(), 1e-6)
    learned = {name for name, p in found.named_parameters() if p.requires_grad}
    if spec.startswith("ptuning"):  # the network that gave them is not saved
        assert learned == {"prompt_encoder.default.embedding.weight"}
    else:
        assert learned == set(case.trained)
    # a step on, it comes back from disk as it is
    before = case.logits(found)
    found.train()
    found(input_ids=IDS, labels=IDS).loss.backward()
    with torch.no_grad():
        for parameter in found.parameters():
            if parameter.requires_grad and parameter.grad is not None:
                parameter -= parameter.grad
    found.eval()
    after = case.logits(found)
    assert (after - before).abs().max() > 1e-4
    (tmp_path / "next").mkdir()
    save_adapter(found, Coach(), found.state_dict(), tmp_path / "next", str(case.files.folder))
    assert_near(case.logits(case.load(tmp_path / "next")), after, 1e-6)
