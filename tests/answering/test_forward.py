"""One forward pass: the logits of the right position, by what the model's forward takes."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import peft
import pytest
import torch
from transformers import DynamicCache

from instructune.answering.caches import pairs
from instructune.answering.forward import Forward
from instructune.errors import Exit, UserError
from tests.generating import tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return tiny("tiny-llama")


class Taking:
    """A model whose forward takes only the arguments named."""

    def __init__(self, model: Any, *names: str) -> None:
        self.inner, self.config, self.device = model, model.config, model.device
        self.given: dict[str, Any] = {}
        kinds = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
        self.forward = lambda: None
        self.forward.__signature__ = inspect.Signature(kinds)  # type: ignore[attr-defined]

    def __call__(self, **given: Any) -> Any:
        self.given = {name: value for name, value in given.items() if value is not None}
        return self.inner(**given)


IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 0]])
ENDS = torch.tensor([3, 2])


@torch.inference_mode()
@pytest.mark.parametrize("names", [("logits_to_keep",), ()], ids=["kept", "all"])
def test_the_logits_behind_each_row_s_end(model, names):
    expected = model(input_ids=IDS).logits[[0, 1], ENDS]
    forward = Forward(Taking(model, "input_ids", "past_key_values", *names))  # type: ignore
    found = forward(IDS, DynamicCache(), ends=ENDS)
    assert torch.allclose(found, expected, atol=1e-6)
    last = forward(IDS, DynamicCache())
    assert torch.allclose(last, model(input_ids=IDS).logits[:, -1], atol=1e-6)


@torch.inference_mode()
def test_what_the_forward_does_not_take_is_left_out(model):
    positions = torch.arange(4)[None].expand(2, -1)
    full = Taking(model, "past_key_values", "position_ids", "logits_to_keep")
    Forward(full)(IDS, DynamicCache(), positions=positions)  # type: ignore[arg-type]
    assert full.given.keys() == {
        "input_ids",
        "past_key_values",
        "use_cache",
        "position_ids",
        "logits_to_keep",
    }
    bare = Taking(model, "past_key_values")
    Forward(bare)(IDS, DynamicCache(), positions=positions)  # type: ignore[arg-type]
    assert bare.given.keys() == {"input_ids", "past_key_values", "use_cache"}


def test_the_cache_goes_by_the_model_s_own_name(model):
    taken = {}

    class Mamba(Taking):
        def __call__(self, **given: Any) -> Any:
            taken.update(given)
            return SimpleNamespace(logits=torch.zeros(2, 1, 5))

    forward = Forward(Mamba(model, "cache_params"))  # type: ignore[arg-type]
    cache = DynamicCache()
    forward(IDS, cache)
    assert taken["cache_params"] is cache
    assert not forward.attends
    assert Forward(Taking(model, "past_key_values")).attends  # type: ignore[arg-type]


def test_a_model_that_keeps_nothing_is_refused(model):
    with pytest.raises(UserError, match="models of type llama cannot go on") as caught:
        Forward(Taking(model, "input_ids"))  # type: ignore[arg-type]
    assert caught.value.code == Exit.MISMATCH


@torch.inference_mode()
def test_virtual_tokens_are_keys_and_values_of_one_row(model):
    config = peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    forward = Forward(peft.get_peft_model(model, config))  # type: ignore[arg-type]
    assert [tuple(keys.shape) for keys, _ in forward.virtual] == [(1, 2, 3, 16)] * 2
    assert forward.model is model
    assert Forward(model).virtual == []


def test_prompt_embeddings_are_read_once(model):
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    wrapped: Any = peft.get_peft_model(model, config)
    with torch.inference_mode():
        found = Forward(wrapped).virtual
        cache = DynamicCache()
        model(inputs_embeds=wrapped.get_prompt(1), past_key_values=cache)
    assert len(found) == 2
    for (keys, values), (k, v) in zip(found, pairs(cache), strict=True):
        assert torch.equal(keys, k)
        assert torch.equal(values, v)
