"""pooling: the mean hidden state, whatever stands beside a sequence."""

from __future__ import annotations

from typing import Any

import peft
import pytest
import torch

from instructune.answering.pooling import pooled
from instructune.architectures import Head
from tests.explaining import headed
from tests.generating import prompts, tiny


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))


def alone(model: Any, ids: list[int], skip: int = 0) -> torch.Tensor:
    with torch.no_grad():
        hidden = model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states[-1]
    return torch.nn.functional.normalize(hidden[0, skip:].mean(0), dim=0)


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2"])
def test_each_as_alone(name):
    model = tiny(name)
    asked = prompts(30, longest=60)
    found = pooled(model, asked)
    expected = torch.stack([alone(model, ids) for ids in asked])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["lora", "prompt"])
def test_with_an_adapter(kind):
    torch.manual_seed(0)
    configs = {
        "lora": peft.LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False),
        "prompt": peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3),
    }
    plain = pooled(tiny("tiny-llama"), [[5, 6, 7]])
    model = peft.get_peft_model(tiny("tiny-llama"), configs[kind]).eval()
    found = pooled(model, [[5, 6, 7], [9]])
    expected = alone(model, [5, 6, 7], skip=3 if kind == "prompt" else 0)
    torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=0)
    assert not torch.allclose(found[0], plain[0], atol=1e-3)


def classifier(name: str) -> Any:
    return headed("classify", Head("sequence", ("a", "b"), None, 256), name).model


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-llama", "tiny-gpt2"])
def test_below_a_head(name):
    model, asked = classifier(name), prompts(12, longest=40)
    found = pooled(model, asked)
    expected = torch.stack([alone(model, ids) for ids in asked])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_an_encoder_behind_virtual_tokens():
    config = peft.PromptTuningConfig(task_type="SEQ_CLS", num_virtual_tokens=3)
    torch.manual_seed(0)
    model: Any = peft.get_peft_model(classifier("tiny-bert"), config).eval()
    seen: list[torch.Tensor] = []
    model.base_model.bert.encoder.register_forward_hook(
        lambda module, given, found: seen.append(found[0])
    )
    found = pooled(model, [[5, 6, 7]])
    assert seen[0].shape[1] == 6
    expected = torch.nn.functional.normalize(seen[0][0, 3:].mean(0), dim=0)
    torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=0)
