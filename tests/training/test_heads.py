"""The loss at supervised positions alone equals the loss over all of them, gradients too."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import (
    CohereConfig,
    Gemma2Config,
    GPT2Config,
    GPT2LMHeadModel,
    GraniteConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PhiConfig,
)
from transformers.models.auto import AutoModelForCausalLM

from instructune.training import heads
from instructune.training.batches import Batch
from tests.tuning import token_data

SIZES = {"vocab_size": 260, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
NARROW = SIZES | {"num_key_value_heads": 2, "intermediate_size": 48}
TOKENS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
LENGTHS = (5, 23, 2, 16, 40, 9)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def llama(*, tied: bool = False, dtype: torch.dtype = torch.float32) -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(**NARROW, tie_word_embeddings=tied, initializer_range=0.2)
    return LlamaForCausalLM(config).to(dtype).eval()


def gpt2() -> Any:
    torch.manual_seed(0)
    sizes = {"vocab_size": 260, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
    config = GPT2Config(**sizes, attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0)
    return GPT2LMHeadModel(config).eval()


def other(config: Any) -> Any:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()


def a_batch(weights: tuple[float, ...] = (1.0, 0.5, 2.0, 1.0, 0.25, 3.0)) -> Batch:
    data = token_data(LENGTHS, weights=weights)
    return data.batch(list(range(len(data))), pad_id=0)


def reference(model: Any, batch: Batch) -> torch.Tensor:
    """All logits, with an attention mask, and the weighted loss of each position."""
    mask = batch.attention_mask
    logits = model(input_ids=batch.input_ids, attention_mask=mask).logits.float()
    losses = cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), reduction="none")
    return (losses * batch.weights.flatten()).sum()


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


MODELS = {
    "llama": llama,
    "tied llama": lambda: llama(tied=True),
    "gpt2": gpt2,
    "capped logits": lambda: other(Gemma2Config(**NARROW, head_dim=8, **TOKENS)),
    "scaled logits": lambda: other(CohereConfig(**NARROW, **TOKENS)),
    "a head with a bias": lambda: other(PhiConfig(**SIZES, intermediate_size=48)),
}


@pytest.mark.parametrize("name", MODELS)
def test_loss_and_gradients_equal_those_of_all_logits(name: str) -> None:
    model, batch = MODELS[name](), a_batch()
    loss, expected = heads.supervised_loss(model)(batch), reference(model, batch)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    found, wanted = gradients(model, loss), gradients(model, expected)
    assert found.keys() == wanted.keys()
    for key, gradient in wanted.items():
        torch.testing.assert_close(found[key], gradient, rtol=1e-5, atol=1e-5, msg=key)


@pytest.mark.parametrize("name", ["llama", "tied llama", "capped logits", "a head with a bias"])
@pytest.mark.parametrize("smoothing", [0.1, 0.9])
def test_smoothed_loss_and_gradients_equal_those_of_torch(name: str, smoothing: float) -> None:
    model, batch = MODELS[name](), a_batch()
    loss = heads.supervised_loss(model, smoothing)(batch)
    mask = batch.attention_mask
    logits = model(input_ids=batch.input_ids, attention_mask=mask).logits.flatten(0, 1)
    targets, weights = batch.targets.flatten(), batch.weights.flatten()
    each = cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing)
    expected = (each * weights).sum()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert loss.item() != pytest.approx(reference(model, batch).item(), rel=1e-5)
    found, wanted = gradients(model, loss), gradients(model, expected)
    for key, gradient in wanted.items():
        scale = gradient.abs().max().item()
        torch.testing.assert_close(found[key], gradient, rtol=0, atol=1e-6 * scale + 1e-7, msg=key)


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_the_logits_of_the_learned_positions(name: str) -> None:
    model, batch = MODELS[name](), a_batch()
    found = heads.supervised_scores(model, batch)
    logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    torch.testing.assert_close(found, logits[batch.weights > 0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["llama", "gpt2", "capped logits"])
def test_loss_equals_that_of_transformers(name: str) -> None:
    model, batch = MODELS[name](), a_batch(weights=(1.0,) * 6)
    labels = torch.full_like(batch.input_ids, -100)
    learned = batch.weights > 0
    labels[:, 1:][learned[:, :-1]] = batch.input_ids[:, 1:][learned[:, :-1]]
    theirs = model(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=labels
    ).loss
    ours = heads.supervised_loss(model)(batch) / batch.units
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)


def test_bfloat16_differs_by_its_rounding_alone() -> None:
    batch = a_batch()
    model, exact = llama(dtype=torch.bfloat16), llama()
    exact.load_state_dict({k: v.float() for k, v in model.state_dict().items()})
    loss = heads.supervised_loss(model)(batch)
    expected = reference(exact, batch)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=1e-2)
    found, wanted = gradients(model, loss), gradients(exact, expected)
    for key, gradient in wanted.items():
        error = (found[key].float() - gradient).norm() / gradient.norm()
        assert error < 0.05, (key, error)


@pytest.mark.parametrize(
    ("name", "is_plain"),
    [
        ("llama", True),
        ("tied llama", True),
        ("gpt2", True),
        ("capped logits", False),
        ("scaled logits", False),
        ("a head with a bias", False),
    ],
)
def test_only_plain_heads_are_fused(
    name: str, is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fused: list[torch.Size] = []
    real = heads._LinearCrossEntropy.apply
    monkeypatch.setattr(
        heads._LinearCrossEntropy, "apply", lambda *a: fused.append(a[0].shape) or real(*a)
    )
    batch = a_batch()
    heads.supervised_loss(MODELS[name]())(batch)
    learned = int((batch.weights > 0).sum())
    assert fused == ([torch.Size([learned, 32])] if is_plain else [])


def test_a_scale_near_one_is_noticed() -> None:
    # the logits of random weights are small: compared with a tolerance they would pass
    assert not heads._is_plain_head(other(GraniteConfig(**NARROW, logits_scaling=1.0001)))
    assert heads._is_plain_head(other(GraniteConfig(**NARROW, logits_scaling=1.0)))


@pytest.mark.parametrize("name", ["capped logits", "scaled logits", "a head with a bias"])
def test_only_learned_positions_go_through_other_heads_too(name: str) -> None:
    model, batch = MODELS[name](), a_batch()
    loss = heads.supervised_loss(model)
    rows: list[int] = []
    model.lm_head.register_forward_hook(lambda *given: rows.append(given[2].shape[-2]))
    loss(batch)
    assert rows == [int((batch.weights > 0).sum())]


@pytest.mark.parametrize("name", ["llama", "gpt2", "scaled logits"])
def test_padding_changes_nothing(name: str) -> None:
    model = MODELS[name]()
    data = token_data(LENGTHS)
    loss = heads.supervised_loss(model)
    together = data.batch(list(range(len(data))), pad_id=0)
    alone = [data.batch([row], pad_id=0) for row in range(len(data))]
    expected = sum(loss(one).double() for one in alone)
    assert loss(together).item() == pytest.approx(expected.item(), rel=1e-6)
    other_pads = data.batch(list(range(len(data))), pad_id=77)
    assert loss(other_pads).item() == loss(together).item()
    found, wanted = gradients(model, loss(together)), gradients(model, expected)
    for key, gradient in wanted.items():
        torch.testing.assert_close(found[key], gradient, rtol=1e-5, atol=1e-5, msg=key)


def test_many_positions_are_added_up_over_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = llama(), a_batch()
    loss = heads.supervised_loss(model)
    whole = gradients(model, loss(batch))
    monkeypatch.setattr(heads, "_CHUNK", 7)
    assert loss(batch).item() == pytest.approx(reference(model, batch).item(), rel=1e-6)
    for key, gradient in gradients(model, loss(batch)).items():
        torch.testing.assert_close(gradient, whole[key], rtol=1e-5, atol=1e-5, msg=key)


def test_frozen_parts_get_no_gradient() -> None:
    batch = a_batch()
    for frozen in ("lm_head", "model"):
        model = llama()
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not name.startswith(frozen))
        found = gradients(model, heads.supervised_loss(model)(batch))
        assert found
        assert not any(name.startswith(frozen) for name in found)
        wanted = gradients(model, reference(model, batch))
        for key, gradient in wanted.items():
            torch.testing.assert_close(found[key], gradient, rtol=1e-5, atol=1e-5, msg=key)


def test_an_evaluation_computes_no_gradient_of_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = llama(), a_batch()
    loss = heads.supervised_loss(model)
    wanted = []
    real = heads._LinearCrossEntropy.apply
    monkeypatch.setattr(
        heads._LinearCrossEntropy, "apply", lambda *a: wanted.append(a[1].requires_grad) or real(*a)
    )
    with torch.no_grad():
        value = loss(batch)
    assert wanted == [False]
    assert value.item() == loss(batch).item()
    assert wanted == [False, True]
