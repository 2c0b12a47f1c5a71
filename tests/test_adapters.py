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
