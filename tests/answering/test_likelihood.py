"""likelihood: log-probabilities equal those of a plain pass over each sequence alone."""

from __future__ import annotations

from typing import Any

import peft
import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration

from instructune.answering import likelihood
from instructune.answering.likelihood import log_probabilities
from instructune.architectures import Head
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
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


# beside an encoder


def t5() -> Any:
    return load_model(resolve("tiny-t5"), dtype=torch.float32, seed=2, head=Head("seq2seq"))


def bart() -> Any:
    torch.manual_seed(0)
    sizes = {f"{side}_{name}": n for side in ("encoder", "decoder") for name, n in SIZES.items()}
    config = BartConfig(vocab_size=300, d_model=16, max_position_embeddings=64, **sizes)
    model = BartForConditionalGeneration(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.3)
    return model


SIZES = {"layers": 2, "ffn_dim": 24, "attention_heads": 2}


@torch.inference_mode()
def by_labels(model: Any, prompt: list[int], output: list[int]) -> list[float]:
    """Of one pair alone, by the model's own shift of its labels."""
    given = {"input_ids": torch.tensor([prompt]), "labels": torch.tensor([output])}
    found = model(**given).logits[0].double().log_softmax(-1)
    return found[torch.arange(len(output)), output].tolist()


@pytest.mark.parametrize("build", [t5, bart])
def test_outputs_equal_a_forward_with_labels(build, tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))
    model = build()
    sources, outputs = prompts(12, longest=50), prompts(12, longest=30, seed=1)
    pairs = list(zip(sources, outputs, strict=True))
    pairs += [(sources[0], outputs[1]), (sources[0], [9]), pairs[3], (sources[0], outputs[0][:1])]
    told: list[int] = []
    found = log_probabilities(
        model, [p + o for p, o in pairs], [len(p) for p, _ in pairs], told.append
    )
    for one, (prompt, output) in zip(found, pairs, strict=True):
        assert one == pytest.approx(by_labels(model, prompt, output), abs=1e-5)
    assert sum(told) == 15  # one was asked for twice


def test_a_prompt_is_encoded_once_for_all_its_labels(monkeypatch, tmp_path):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))
    model, prompt = t5(), list(range(40, 90))
    seen: dict[str, list[tuple[int, ...]]] = {"encoder": [], "decoder": []}
    for side, shapes in seen.items():
        getattr(model, f"get_{side}")().register_forward_pre_hook(
            lambda module, args, given, shapes=shapes: shapes.append(given["input_ids"].shape),
            with_kwargs=True,
        )
    labels = [[1, 2], [1, 3, 4], [7], [1, 2]]
    log_probabilities(model, [prompt + label for label in labels], [50] * 4)
    assert seen == {"encoder": [(1, 50)], "decoder": [(1, 1), (3, 2)]}


def test_parts_are_cut_where_outputs_or_states_are_many(monkeypatch, tmp_path):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))
    model, prompt, labels = t5(), [5] * 10, [[n, n, 258] for n in range(9)]
    asked = [prompt + label for label in labels], [10] * 9
    whole = log_probabilities(model, *asked)
    for name, most in (("_TOLD", 6), ("_STATES", 30), ("_TOLD", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(likelihood, name, most)
            told: list[int] = []
            found = log_probabilities(model, *asked, told.append)
        assert max(told) == {6: 2, 30: 3, 1: 1}[most]
        for one, other in zip(found, whole, strict=True):
            assert one == pytest.approx(other, abs=1e-5)
