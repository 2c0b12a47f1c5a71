"""attentions: rows add up to 1, rollout as by hand, and the model stays as it was."""

from __future__ import annotations

from typing import Any

import peft
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from instructune.architectures import Head
from instructune.attribution import attentions
from instructune.attribution.attentions import Mean, Rollout, of_answer, watch
from instructune.errors import UserError
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from instructune.tokens import TokenRow
from instructune.training.goals import Target
from tests.explaining import answered, headed
from tests.generating import tiny

IDS = list(range(40, 52))


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2"])
def test_equal_to_what_the_model_tells(name):
    model: Any = tiny(name)
    rows, virtual = of_answer(model, IDS, Mean(3))
    one, _ = of_answer(model, IDS, Mean(3, layer=1, head=2))
    assert model.config._attn_implementation == "sdpa"
    model.set_attn_implementation("eager")
    with torch.no_grad():
        told = model(input_ids=torch.tensor([IDS]), output_attentions=True).attentions
    assert len(told) == 2
    torch.testing.assert_close(rows, torch.stack(told)[:, 0].mean((0, 1))[-3:])
    torch.testing.assert_close(one, told[1][0, 2, -3:])
    assert (virtual, rows.shape) == (0, (3, 12))
    assert rows.sum(1).tolist() == pytest.approx([1, 1, 1], abs=1e-5)
    joined, _ = of_answer(model, IDS, Rollout(3))
    assert joined.sum(1).tolist() == pytest.approx([1, 1, 1], abs=1e-5)


def test_rollout_of_two_layers_by_hand():
    first = torch.tensor([[[1.0, 0.0], [0.5, 0.5]], [[1.0, 0.0], [0.5, 0.5]]])
    second = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])  # mean 0.5, 0.5
    rollout = Rollout(2)
    rollout.see(0, first)  # with the identity: [1, 0], [0.25, 0.75]
    rollout.see(1, second)  # the same; together 0.25 + 0.75 * 0.25, 0.75 * 0.75
    assert rollout.result().tolist() == [[1.0, 0.0], [0.4375, 0.5625]]


def test_an_encoder_s_attention():
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3, "vocab_size": 50}
    model = BertForSequenceClassification(BertConfig(**sizes, num_attention_heads=2)).eval()
    seen = []
    ids = torch.tensor([[2, 7, 3]])
    watch(model, lambda: model(input_ids=ids), lambda layer, w: seen.append((layer, w)))
    assert [(layer, tuple(w.shape)) for layer, w in seen] == [(i, (2, 3, 3)) for i in range(3)]
    assert all(w.sum(-1).allclose(torch.ones(2, 3)) for _, w in seen)


def test_virtual_tokens_are_one_column():
    config = peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    torch.manual_seed(0)
    model = peft.get_peft_model(tiny("tiny-llama"), config).eval()
    for seen in (Mean(2), Rollout(2)):
        rows, virtual = of_answer(model, IDS, seen)
        assert (virtual, rows.shape) == (1, (2, 13))
        assert rows.sum(1).tolist() == pytest.approx([1, 1], abs=1e-5)
        assert rows[:, 0].min() > 0


def test_a_layer_that_is_not_there():
    with pytest.raises(UserError, match="has 2 layers of 4 heads") as caught:
        of_answer(tiny("tiny-llama"), IDS, Mean(1, layer=2))
    assert caught.value.code == 2
    with pytest.raises(UserError, match="2 layers of 4 heads"):
        of_answer(tiny("tiny-llama"), IDS, Mean(1, head=4))


def test_a_model_without_attention():
    class Plain(torch.nn.Linear):
        config = type("C", (), {"_attn_implementation": "eager", "model_type": "plain"})()

        def set_attn_implementation(self, name: str) -> None:
            pass

    model = Plain(1, 1)
    with pytest.raises(UserError, match="type plain have no attention"):
        attentions.watch(model, lambda: model(torch.ones(1)), lambda layer, w: None)


@pytest.mark.parametrize(("name", "place"), [("tiny-bert", 0), ("tiny-gpt2", -1)])
def test_of_a_head_the_token_that_it_reads(name, place):
    of = headed("classify", Head("sequence", ("a", "b"), "single_label_classification", 256), name)
    _, target = answered(of, {"text": "an owl"})
    assert target
    places, length = attentions.places_of(of.model, target), len(target.row.ids)
    assert places == [place % length - length]
    rows, virtual = attentions.of_target(of.model, target, Mean(places))
    joined, _ = attentions.of_target(of.model, target, Rollout(places))
    of.model.set_attn_implementation("eager")
    with torch.no_grad():
        told = of.model(torch.tensor([target.row.ids]), output_attentions=True).attentions
    torch.testing.assert_close(rows[0], torch.stack(told)[:, 0].mean((0, 1))[place])
    steps = [(torch.eye(length) + one[0].mean(0)) / 2 for one in told]
    torch.testing.assert_close(joined[0], (steps[1] @ steps[0])[place])
    assert virtual == 0


def test_places_that_a_target_names():
    row = TokenRow([5, 6, 7, 8], [1.0], "1", "f:1")
    target = Target(row, "it", lambda model, ids: model(ids).logits.sum((1, 2)), [1, 3])
    model: Any = tiny("tiny-llama")
    assert attentions.places_of(model, target) == [-3, -1]
    rows, _ = attentions.of_target(model, target, Mean([-3, -1]))
    whole, _ = attentions.of_target(model, target, Mean(4))
    torch.testing.assert_close(rows, whole[[1, 3]])


def test_an_encoder_beside_a_decoder_is_refused():
    model = load_model(resolve("tiny-t5"), dtype=torch.float32, head=Head("seq2seq"))
    target = Target(TokenRow([5], [1.0], "1", "f:1"), "it", lambda model, ids: ids)
    with pytest.raises(UserError, match="t5 models look at a text in more than one way"):
        attentions.of_target(model, target, Mean(1))
