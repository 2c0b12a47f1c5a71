"""Noise and attacks on input embeddings: their size by hand, and where they reach."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from instructune.adversaries import adversaries
from instructune.architectures import Head
from instructune.fetching.modelfiles import resolve
from instructune.methods import methods
from instructune.models import load_model
from instructune.training.batches import Batch
from instructune.training.embeddings import (
    attacked,
    changed,
    lookups,
    noised,
    segment_lengths,
)

LABELS = ("a", "b", "c")


class Sum(torch.nn.Module):
    """A model whose loss is half of the squared length of its tokens' vectors."""

    def __init__(self, vectors: list[list[float]], *, frozen: bool = False) -> None:
        super().__init__()
        self.words = torch.nn.Embedding.from_pretrained(torch.tensor(vectors), freeze=frozen)
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.config = SimpleNamespace(is_encoder_decoder=False)

    def get_input_embeddings(self) -> torch.nn.Embedding:
        return self.words

    def loss(self, batch: Batch) -> torch.Tensor:
        vectors = self.words(batch.input_ids) * batch.weights[:, None, None]
        return self.scale * (vectors**2).sum() / 2


def batch_of(ids: list[list[int]], mask: list[list[int]] | None = None, **inputs: Any) -> Batch:
    tensors = {name: torch.tensor(values) for name, values in inputs.items()}
    seen = None if mask is None else torch.tensor(mask)
    rows = list(range(len(ids)))
    return Batch(torch.tensor(ids), seen, torch.empty(0), torch.ones(len(ids)), rows, tensors)


def vectors_in(model: Any, batch: Batch, wrap: Callable[..., Any]) -> torch.Tensor:
    """What the model gets for its tokens while a wrapped loss is computed."""
    seen: list[torch.Tensor] = []

    def loss(batch: Batch) -> torch.Tensor:
        seen.append(model.words(batch.input_ids))
        return seen[0].sum()

    wrap(model, loss)(batch)
    return seen[0].detach()


def test_lengths_of_rows_count_no_padding() -> None:
    batch = batch_of([[1, 1, 1, 1], [1, 1, 0, 0]], [[1, 1, 1, 1], [1, 1, 0, 0]])
    found = segment_lengths(batch.input_ids, batch)
    assert found.tolist() == [[4, 4, 4, 4], [2, 2, 2, 2]]
    # a model may make a view, and other ids have a mask of their own, or none
    assert segment_lengths(batch.input_ids.view(-1, 4), batch)[1].tolist() == [2] * 4
    assert segment_lengths(batch.input_ids.clone(), batch)[1].tolist() == [4] * 4
    masks = {"query_input_ids": [[5, 6, 7]], "query_attention_mask": [[1, 1, 0]]}
    other = batch_of([[1]], **masks)
    assert segment_lengths(other.inputs["query_input_ids"], other).tolist() == [[2, 2, 2]]


def test_lengths_of_packed_rows_are_those_of_their_texts() -> None:
    segments = [[0, 0, 0, 1, 1, 2], [0, 0, 1, 0, 0, 0]]
    mask = [[1] * 6, [1, 1, 1, 0, 0, 0]]
    batch = batch_of([[1] * 6] * 2, mask, segments=segments)
    found = segment_lengths(batch.input_ids, batch)
    assert found.tolist() == [[3, 3, 3, 2, 2, 1], [2, 2, 1, 2, 2, 2]]


def test_noise_is_uniform_within_its_bounds() -> None:
    torch.manual_seed(0)
    model = Sum([[0.0] * 64] * 2)
    mask = [[1] * 16, [1] * 4 + [0] * 12]
    batch = batch_of([[1] * 16] * 2, mask)
    found = vectors_in(model, batch, lambda model, loss: noised(model, loss, 6.0))
    for row, length in ((found[0], 16), (found[1, :4], 4)):
        most = 6.0 / (length * 64) ** 0.5
        assert 0.95 * most < row.abs().max() <= most
        assert row.mean().item() == pytest.approx(0, abs=0.15 * most)
        assert row.std().item() == pytest.approx(most / 3**0.5, rel=0.1)


def test_noise_is_a_function_of_the_seed_and_new_each_time() -> None:
    model, batch = Sum([[0.0] * 8] * 2), batch_of([[1, 0, 1]])

    def drawn() -> torch.Tensor:
        return vectors_in(model, batch, lambda model, loss: noised(model, loss, 5.0))

    torch.manual_seed(3)
    one, two = drawn(), drawn()
    torch.manual_seed(3)
    assert torch.equal(drawn(), one)
    assert not torch.equal(one, two)
    assert torch.equal(model.words(batch.input_ids), torch.zeros(1, 3, 8))  # no hook stays


ROWS = [[0, 1], [2, 2]]
VECTORS = [[3.0, 0.0], [0.0, 4.0], [0.6, 0.8]]  # rows of length 5, and sqrt(2)


@pytest.mark.parametrize(
    ("attack", "lengths"),
    [
        ("fgm:epsilon=2", (2.0, 2.0)),
        ("pgd:epsilon=1,alpha=0.25,steps=2", (0.5, 0.5)),  # each step along the row itself
        ("pgd:epsilon=0.6,alpha=0.25,steps=3", (0.6, 0.6)),
    ],
)
@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 3.0)])
def test_gradients_of_clean_and_moved_rows_add_up(
    attack: str, lengths: tuple[float, float], weights: tuple[float, float]
) -> None:
    model, (_, plug_in, options) = Sum(VECTORS), adversaries.configure(attack)
    before = model.words.weight.detach().clone()
    batch = batch_of(ROWS)._replace(weights=torch.tensor(weights))
    loss = attacked(model, model.loss, plug_in, options)(batch)
    assert loss.item() == pytest.approx(model.loss(batch).item(), rel=1e-6)
    loss.backward()
    assert torch.equal(model.words.weight, before)
    # the gradient of a row is itself, so it is moved to (1 + length / |row|) times itself
    one, other = 2 + lengths[0] / 5, 2 + lengths[1] / 2**0.5
    wanted = before * torch.tensor([[one], [one], [2 * other * weights[1] ** 2]])
    assert model.words.weight.grad is not None
    torch.testing.assert_close(model.words.weight.grad, wanted, rtol=1e-5, atol=1e-6)


def test_frozen_embeddings_are_moved_too() -> None:
    model, (_, plug_in, options) = Sum(VECTORS, frozen=True), adversaries.configure("fgm")
    attacked(model, model.loss, plug_in, options)(batch_of(ROWS)).backward()
    assert model.words.weight.grad is None
    moved = (25 * (1 + 1 / 5) ** 2 + 2 * (1 + 1 / 2**0.5) ** 2) / 2
    assert model.scale.grad is not None
    assert model.scale.grad.item() == pytest.approx(27 / 2 + moved, rel=1e-5)


def test_an_error_leaves_no_hook() -> None:
    model = Sum(VECTORS)

    def loss(batch: Batch) -> torch.Tensor:
        raise ValueError

    with pytest.raises(ValueError):
        noised(model, loss, 5.0)(batch_of(ROWS))
    assert not model.words._forward_hooks


HEADS = {
    ("tiny-llama", "causal"): Head(),
    ("tiny-gpt2", "causal"): Head(),
    ("tiny-bert", "sequence"): Head("sequence", LABELS, "single_label_classification", 0),
    ("tiny-bert", "token"): Head("token", LABELS, None, 0),
    ("tiny-bert", "encoder"): Head("encoder"),
    ("tiny-t5", "seq2seq"): Head("seq2seq"),
    ("tiny-t5", "token"): Head("token", LABELS, None, 0),
}


@pytest.mark.parametrize("case", HEADS, ids="-".join)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_input_embeddings_of_every_model_are_reached_once(
    case: tuple[str, str], method: str
) -> None:
    query = {"tiny-llama": "q_proj", "tiny-gpt2": "c_attn", "tiny-bert": "query", "tiny-t5": "q"}
    files = resolve(case[0], lambda text: None)
    model: Any = load_model(files, dtype=torch.float32, head=HEADS[case])
    more = f":target_modules={query[case[0]]}" if method == "lora" else ""
    _, plug_in, options = methods.configure(method + more)
    model = plug_in.apply(model, options)
    ids = torch.arange(6).reshape(2, 3) + 40
    inputs = {"decoder_input_ids": ids + 9} if case == ("tiny-t5", "seq2seq") else {}
    seen: list[torch.Tensor] = []

    def change(found: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        seen.append(found)
        return vectors * 3 + 1

    plain = model(input_ids=ids, **inputs)[0]
    with changed(lookups(model), change):
        other = model(input_ids=ids, **inputs)[0]
    assert torch.equal(seen[0], ids)
    assert len(seen) == 1
    assert (other - plain).abs().max() > 1e-3
    assert torch.equal(model(input_ids=ids, **inputs)[0], plain)
