"""likelihood: log-probabilities equal those of a plain pass over each sequence alone."""

from __future__ import annotations

from typing import Any

import peft
import pytest
import torch

from instructune.answering.likelihood import log_probabilities
from tests.generating import prompts, tiny


@pytest.fixture(scope="module", params=("tiny-llama", "tiny-gpt2"))
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return tiny(request.param)


@torch.inference_mode()
def alone(model: Any, ids: list[int], start: int) -> list[float]:
    found = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return [found[t - 1, ids[t]].item() for t in range(start, len(ids))]


@pytest.mark.parametrize("shared", [0, 25])
def test_each_equals_a_pass_of_its_own(model, shared):
    sequences = [[5, *ids] for ids in prompts(9, start=shared, longest=60)]
    starts = [1 + (7 * i) % (len(ids) - 1) for i, ids in enumerate(sequences)]
    starts[0] = max(starts[0], shared)
    found = log_probabilities(model, sequences, starts)
    for one, ids, start in zip(found, sequences, starts, strict=True):
        assert one == pytest.approx(alone(model, ids, start), abs=1e-4)
        assert len(one) == len(ids) - start


def test_what_all_begin_with_is_read_once(model):
    prompt = list(range(40, 90))
    sequences = [[*prompt, *label] for label in ([1, 2], [1, 3, 4], [7], [1, 2])]
    widths = []
    hook = model.register_forward_pre_hook(
        lambda module, args, given: widths.append(given["input_ids"].shape), with_kwargs=True
    )
    found = log_probabilities(model, sequences, [50] * 4)
    hook.remove()
    assert [tuple(shape) for shape in widths] == [(1, 49), (3, 4)]  # the last prompt token again
    for one, ids in zip(found, sequences, strict=True):
        assert one == pytest.approx(alone(model, ids, 50), abs=1e-4)
    assert found[0] == found[3]


def test_virtual_tokens_of_an_adapter_stand_before(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    torch.manual_seed(1)
    adapted = peft.get_peft_model(tiny("tiny-llama"), config).eval()
    ids = list(range(20, 30))
    with torch.inference_mode():
        logits = adapted(input_ids=torch.tensor([ids])).logits[0, 3:].log_softmax(-1)
    expected = [logits[t - 1, ids[t]].item() for t in range(4, 10)]
    assert log_probabilities(adapted, [ids], [4])[0] == pytest.approx(expected, abs=1e-4)
    both = log_probabilities(adapted, [ids, ids[:6]], [4, 5])
    assert both[0] == pytest.approx(expected, abs=1e-4)
    assert both[1] == pytest.approx(expected[1:2], abs=1e-4)
