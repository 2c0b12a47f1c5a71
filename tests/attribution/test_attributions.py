"""attributions: equal to what is worked out by hand, by autograd and one by one; complete."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import peft
import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
)

from instructune.answering.likelihood import log_probabilities
from instructune.attribution import attributions
from instructune.attribution.attributions import (
    Subject,
    gradient_by_input,
    integrated_gradients,
    occlusion,
)
from instructune.attribution.explaining import Case
from instructune.errors import UserError
from instructune.records import Record
from instructune.tokens import TokenRow
from instructune.training.goals import Target
from tests.generating import prompts, tiny


class Toy(torch.nn.Module):
    """The number is 1 e0 + 2 e1 - 3 e2 of the first components, and `twice` bends it."""

    device = torch.device("cpu")
    config = SimpleNamespace(is_encoder_decoder=False)

    def __init__(self, bent: bool = False) -> None:
        super().__init__()
        self.layer = torch.nn.Embedding(4, 2)
        self.layer.weight.data = torch.tensor([[1.0, 9.0], [2.0, 8.0], [4.0, 7.0], [5.0, 0.0]])
        self.bent = bent

    def get_input_embeddings(self) -> torch.nn.Module:
        return self.layer

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        found = self.layer(ids)[..., 0] @ torch.tensor([1.0, 2.0, -3.0])
        return found**2 if self.bent else found


def test_a_linear_number_by_hand():
    toy = Toy()
    subject = Subject(toy, [0, 1, 2], toy, rows=2)
    zero, mean = torch.zeros(3, 2), subject.baseline("mean", 0).expand(3, 2)
    assert mean[0].tolist() == [3.0, 6.0]
    assert subject.baseline("pad", 3).tolist() == [5.0, 0.0]
    assert gradient_by_input(subject, zero).tolist() == [1.0, 4.0, -12.0]
    assert gradient_by_input(subject, mean).tolist() == [-2.0, -2.0, -3.0]
    path = integrated_gradients(subject, zero, 4)
    assert path.values.tolist() == pytest.approx([1.0, 4.0, -12.0], abs=1e-5)
    assert (path.score, path.baseline, path.steps) == (-7.0, 0.0, 4)
    assert path.gap < 1e-5
    values, score, without = occlusion(subject, torch.zeros(2), [[0], [1, 2]])
    assert (values.tolist(), score, without) == ([1.0, -8.0], -7.0, 0.0)


def test_a_square_by_hand():
    """Of (1 + 4 - 12)^2 = 49 each has its share of -7 times -7; the gradient has twice that."""
    toy = Toy(bent=True)
    subject = Subject(toy, [0, 1, 2], toy)
    assert gradient_by_input(subject, torch.zeros(3, 2)).tolist() == [-14.0, -56.0, 168.0]
    path = integrated_gradients(subject, torch.zeros(3, 2), 4)
    assert path.values.tolist() == pytest.approx([-7.0, -28.0, 84.0], abs=1e-4)


def test_the_way_is_halved_where_it_bends():
    """A leap close to the start takes more gradients, no more than are allowed."""
    toy = Toy()
    subject = Subject(toy, [0, 1, 2], lambda ids: torch.tanh(-200 * (toy(ids) + 0.5)))
    rough = integrated_gradients(subject, torch.zeros(3, 2), 4)
    fine = integrated_gradients(subject, torch.zeros(3, 2), 256)
    assert rough.gap > 0.1
    assert rough.steps == 4 < fine.steps < 256
    assert fine.gap < 0.02


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return tiny("tiny-llama", spread=0.1)


PROMPT, ANSWER = list(range(60, 80)), [5, 7, 11]


def scaled() -> Any:
    """A model whose embedding layer multiplies what is stored."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "head_dim": 8}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 100}
    return Gemma3ForCausalLM(Gemma3TextConfig(**sizes, **heads)).eval()


def adapted(model: Any) -> Any:
    config = peft.LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False)
    torch.manual_seed(1)
    return peft.get_peft_model(tiny("tiny-gpt2", spread=0.1), config).eval()


MODELS = {"plain": lambda model: model, "lora": adapted, "scaled": lambda model: scaled()}


@pytest.mark.parametrize("kind", MODELS)
def test_of_an_answer(kind, model, tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))
    model = MODELS[kind](model)
    subject = attributions.of_answer(model, PROMPT, ANSWER)
    own = subject.embeddings()
    (expected,) = log_probabilities(model, [PROMPT + ANSWER], [len(PROMPT)])
    assert subject.scores(own[None]).item() == pytest.approx(sum(expected), abs=1e-4)
    start = own.clone()
    start[: len(PROMPT)] = subject.baseline("mean", 0)

    # by autograd, through the model's own argument for embeddings
    inner = model.get_base_model() if kind == "lora" else model
    leaf = inner.get_input_embeddings()(torch.tensor([PROMPT + ANSWER])).detach().requires_grad_()
    logits = model(inputs_embeds=leaf).logits[0].log_softmax(-1)
    sum(logits[19 + i, token] for i, token in enumerate(ANSWER)).backward()
    reference = (leaf.grad[0] * (own - start)).sum(-1)
    assert gradient_by_input(subject, start).tolist() == pytest.approx(reference.tolist(), abs=1e-4)

    path = integrated_gradients(subject, start, 256, 0.005)
    assert path.gap <= 0.005 * max(1, abs(path.score - path.baseline))
    assert path.values[len(PROMPT) :].abs().max() == 0
    assert path.values.sum().item() == pytest.approx(path.score - path.baseline, abs=2 * path.gap)


def test_occlusion_is_each_pass_of_its_own(model):
    subject = attributions.of_answer(model, PROMPT, ANSWER)
    fill = subject.baseline("pad", 256)
    groups = [[0], [1, 2, 3], [19], [7, 9]]
    values, score, without = occlusion(subject, fill, groups)
    subject.rows = 1
    alone = occlusion(subject, fill, groups)
    assert values.tolist() == pytest.approx(alone[0].tolist(), abs=1e-5)
    for value, group in zip(values.tolist(), groups, strict=True):  # 256 is the pad token
        ids = [256 if i in group else token for i, token in enumerate(PROMPT)]
        (told,) = log_probabilities(model, [ids + ANSWER], [len(PROMPT)])
        assert score - sum(told) == pytest.approx(value, abs=1e-4)
    hidden = [256 if i in sum(groups, []) else token for i, token in enumerate(PROMPT)]
    (told,) = log_probabilities(model, [hidden + ANSWER], [len(PROMPT)])
    assert without == pytest.approx(sum(told), abs=1e-4)


def test_the_weights_are_left_as_they_were(model):
    model.zero_grad()
    before = [weight.requires_grad for weight in model.parameters()]
    assert any(before)
    subject = attributions.of_answer(model, PROMPT, ANSWER)
    gradient_by_input(subject, torch.zeros_like(subject.embeddings()))
    assert [weight.requires_grad for weight in model.parameters()] == before
    assert all(weight.grad is None for weight in model.parameters())


def test_a_classifier_s_logit():
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "vocab_size": 50}
    config = BertConfig(**sizes, num_attention_heads=2, num_labels=3)
    model = BertForSequenceClassification(config).eval()
    ids = [2, 7, 8, 9, 3]
    subject = Subject(model, ids, lambda ids: model(input_ids=ids).logits[:, 1], rows=3)
    own = subject.embeddings()
    with torch.no_grad():
        logit = model(input_ids=torch.tensor([ids])).logits[0, 1].item()
    assert subject.scores(own[None]).item() == pytest.approx(logit, abs=1e-6)
    path = integrated_gradients(subject, torch.zeros_like(own), 128, 0.001)
    assert path.values.sum().item() == pytest.approx(path.score - path.baseline, abs=1e-3)
    values, score, _ = occlusion(subject, subject.baseline("pad", 0), [[2]])
    with torch.no_grad():
        without = model(input_ids=torch.tensor([[2, 7, 0, 9, 3]])).logits[0, 1].item()
    assert values.item() == pytest.approx(score - without, abs=1e-6)


def test_embeddings_that_are_read_twice_are_refused():
    toy = Toy()
    subject = Subject(toy, [0, 1, 2], lambda ids: toy(ids) + toy(ids))
    with pytest.raises(UserError, match="cannot be explained"):
        subject.scores(subject.embeddings()[None])


def test_long_rows_go_through_the_model_alone(model):
    assert attributions.of_answer(model, prompts(1, start=900)[0], ANSWER).rows == 1
    assert attributions.of_answer(model, PROMPT, ANSWER).rows == 1024 // 23


def test_what_stands_for_an_answer_without_a_text():
    """Of a linear number the gradient times the input is each token's exact share."""
    toy = Toy()
    target = Target(TokenRow([0, 1, 2], [1.0], "1", "f:1"), "it", lambda model, ids: model(ids))
    case = Case(Record(id="1", text="x"), [0, 1, 2], [], "x", target)
    assert case.target == "it"
    subject = attributions.of_case(toy, case)
    assert gradient_by_input(subject, torch.zeros(3, 2)).tolist() == [1.0, 4.0, -12.0]
    assert subject.rows == 1024 // 3
    values, score, without = occlusion(subject, torch.zeros(2), [[0], [1], [2]])
    assert (values.tolist(), score, without) == ([1.0, 4.0, -12.0], -7.0, 0.0)
