"""unpadding: what models give for rows end to end is what they give for padded ones."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, PromptTuningConfig, get_peft_model

from instructune.training.unpadding import is_unpadded, unpad

LENGTHS = (9, 2, 7, 7, 1)
SMALL = {"vocab_size": 50, "pad_token_id": 0}
LLAMA = SMALL | {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
BERT = LLAMA | {"num_key_value_heads": None, "max_position_embeddings": 32}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("BertForTokenClassification", BERT),
    "bert, a label": ("BertForSequenceClassification", BERT),
    "roberta": ("RobertaForMaskedLM", BERT | {"pad_token_id": 1}),
    "distilbert": (
        "DistilBertForTokenClassification",
        SMALL | {"dim": 16, "hidden_dim": 24, "n_layers": 2, "n_heads": 4},
    ),
    "electra": ("ElectraForTokenClassification", BERT | {"embedding_size": 8}),
    "modernbert, looking near": (
        "ModernBertForTokenClassification",
        BERT | {"local_attention": 4, "global_attn_every_n_layers": 2, "reference_compile": False},
    ),
    "llama": ("LlamaForCausalLM", LLAMA),
    "gpt2": ("GPT2LMHeadModel", SMALL | {"n_embd": 16, "n_layer": 2, "n_head": 4}),
    "qwen3": ("Qwen3ForCausalLM", LLAMA | {"head_dim": 8}),
    "mistral, looking back three": ("MistralForCausalLM", LLAMA | {"sliding_window": 3}),
    "neox": ("GPTNeoXForCausalLM", LLAMA),
}


def made(kind: str, **more: Any) -> Any:
    torch.manual_seed(0)
    name, given = KINDS[kind]
    model_class = getattr(transformers, name)
    return model_class(model_class.config_class(**given | more)).eval()


def batch(pad: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(2, 50, (len(LENGTHS), max(LENGTHS)), generator=torch.manual_seed(1))
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    return torch.where(mask, ids, pad), mask


def passed(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, Any]:
    """What a model gives for tokens, and its gradients."""
    model.zero_grad()
    found = model(input_ids=ids, attention_mask=mask.long())[0]
    found = found[mask] if found.ndim > 2 else found
    found.square().sum().backward()
    return found.detach(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("kind", KINDS)
def test_scores_and_gradients_are_those_of_padded_rows(kind: str) -> None:
    model = made(kind)
    ids, mask = batch(model.config.pad_token_id)
    scores, gradients = passed(model, ids, mask)
    assert unpad(model)
    assert is_unpadded(model)
    again, others = passed(model, ids, mask)
    torch.testing.assert_close(again, scores, atol=1e-6, rtol=1e-5)
    assert gradients.keys() == others.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(others[name], gradient, atol=1e-5, rtol=1e-4, msg=name)


def test_layers_see_tokens_alone() -> None:
    model = made("bert")
    assert unpad(model)
    seen = []
    for layer in model.bert.encoder.layer:
        layer.attention.self.query.register_forward_hook(lambda *a: seen.append(a[2].shape))
    outputs = model(*batch(), output_hidden_states=False)
    assert seen == [(1, sum(LENGTHS), 16)] * 2
    assert outputs.logits.shape == (5, 9, 2)


@pytest.mark.parametrize("kind", ["bert", "bert, a label", "llama", "mistral, looking back three"])
def test_rounding_of_half_precision_is_no_difference(kind: str) -> None:
    assert unpad(made(kind).bfloat16())


def test_rows_of_one_length_pass_as_ever() -> None:
    model = made("llama")
    assert unpad(model)
    ids = batch()[0][[0, 0]]
    whole = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    torch.testing.assert_close(whole, model(input_ids=ids).logits)


def test_it_holds_with_adapters_and_in_training() -> None:
    model = get_peft_model(
        made("bert", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0),
        LoraConfig(target_modules=["query", "dense"], init_lora_weights=False),
    ).train()
    ids, mask = batch()
    scores, gradients = passed(model, ids, mask)
    assert unpad(model)
    assert model.training
    again, others = passed(model, ids, mask)
    torch.testing.assert_close(again, scores, atol=1e-6, rtol=1e-5)
    assert all("lora" in name for name in others)
    for name, gradient in gradients.items():
        torch.testing.assert_close(others[name], gradient, atol=1e-5, rtol=1e-4)


def test_an_error_within_leaves_nothing_behind() -> None:
    model = made("bert")
    assert unpad(model)
    ids, mask = batch()
    expected = model(input_ids=ids[:1]).logits
    handle = model.bert.encoder.layer[1].register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model(input_ids=ids, attention_mask=mask.long())
    handle.remove()
    assert model(input_ids=ids[:1]).logits.equal(expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_layers_that_mix_tokens_otherwise_are_refused(dtype: torch.dtype) -> None:
    given = LLAMA | {"layer_types": ["conv", "full_attention"]}
    model = transformers.Lfm2ForCausalLM(transformers.Lfm2Config(**given)).to(dtype)
    assert not unpad(model)


@pytest.mark.parametrize("case", ["mixing", "eager", "encoder-decoder", "prompt"])
def test_models_that_cannot_stay_as_they_are(case: str) -> None:
    model = made("bert")
    if case == "mixing":  # of its neighbours, whichever row they are of
        model.bert.encoder.layer[0].register_forward_hook(lambda *a: a[2] + a[2].roll(1, 1))
    elif case == "eager":
        model.set_attn_implementation("eager")
    elif case == "encoder-decoder":
        config = transformers.T5Config(**SMALL, d_model=16, d_kv=4, d_ff=24, num_layers=2)
        model = transformers.T5ForConditionalGeneration(config)
    else:
        model = get_peft_model(
            made("llama"), PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
        )
    before = model.config._attn_implementation
    hooks = [len(module._forward_pre_hooks) for module in model.modules()]
    assert not unpad(model)
    assert not is_unpadded(model)
    assert model.config._attn_implementation == before
    assert [len(module._forward_pre_hooks) for module in model.modules()] == hooks


def test_the_config_on_disk_says_nothing_of_it(tmp_path: Any) -> None:
    model = made("bert")
    model.save_pretrained(tmp_path / "before")
    assert unpad(model)
    model.save_pretrained(tmp_path / "after")
    before, after = ((tmp_path / name / "config.json").read_text() for name in ("before", "after"))
    assert after == before
