"""Folders to models and back: the same weights, or an error that names what differs."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BertConfig, BertModel

from instructune.architectures import Head
from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import ModelFiles, resolve
from instructune.libraries import quiet
from instructune.models import load_model, save_model
from tests.method_cases import Case, assert_near

PRESETS = ("tiny-llama", "tiny-gpt2")


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def load(source: str | Path | ModelFiles, **options: Any) -> Any:
    files = source if isinstance(source, ModelFiles) else resolve(str(source))
    return load_model(files, **{"dtype": torch.float32} | options)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A tiny Llama as a plain folder."""
    files = resolve("tiny-llama")
    folder = tmp_path / "model"
    folder.mkdir()
    save_model(load(files, seed=3), folder, torch.float32)
    shutil.copy(files.folder / "tokenizer.json", folder)
    return folder


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_bytes())
    change(config)
    path.write_text(json.dumps(config))


def edit_tensors(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    left, right = one.state_dict(), other.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_drawn_from_the_seed_alone(name: str) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = load(name, seed=1)
    assert torch.equal(torch.rand(3), expected)
    assert same(first, load(name, seed=1))
    assert not same(first, load(name, seed=2))
    assert same(first.bfloat16(), load(name, seed=1, dtype=torch.bfloat16))
    assert not first.training


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_small_tied_and_take_4096_tokens(name: str) -> None:
    model = load(name)
    assert sum(p.numel() for p in model.parameters()) < 400_000
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    with torch.no_grad():
        logits = model(torch.randint(0, 260, (1, 4096))).logits
    assert logits.shape == (1, 4096, 260)
    assert logits.isfinite().all()
    model.train()
    ids = torch.arange(50)[None]
    assert torch.equal(model(ids).logits, model(ids).logits)  # no dropout


@pytest.mark.parametrize("name", PRESETS)
def test_plain_transformers_reads_a_preset(name: str) -> None:
    folder = resolve(name).folder
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "é"}], add_generation_prompt=True, return_dict=False
    )
    assert ids == [257, *b"user\n\xc3\xa9", 258, 10, 257, *b"assistant\n"]
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.bos_token_id) == (
        258,
        256,
        259,
    )
    assert AutoConfig.from_pretrained(folder).vocab_size == 260


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_saved_model_comes_back(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    model = load(name, seed=3)
    model.config.use_cache = False
    save_model(model, tmp_path, dtype)
    assert (model.dtype, model.config.use_cache) == (torch.float32, False)
    assert not any(p.suffix in (".bin", ".pt") for p in tmp_path.iterdir())
    with safe_open(tmp_path / "model.safetensors", "pt") as stored:
        names = set(stored.keys())
        assert {stored.get_tensor(n).dtype for n in names} == {dtype}
    assert "lm_head.weight" not in names  # tied: written once
    config = json.loads((tmp_path / "config.json").read_bytes())
    assert (config["dtype"], config["use_cache"]) == (str(dtype)[6:], True)
    assert (tmp_path / "model.safetensors").stat().st_mode & 0o077 == (
        tmp_path / "config.json"
    ).stat().st_mode & 0o077
    assert same(load(tmp_path), model.to(dtype).float())
    with quiet():
        assert AutoModelForCausalLM.from_pretrained(tmp_path).dtype is dtype


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.pop("model.norm.weight"), r"1 tensors missing: model\.norm\.weight"),
        (
            lambda t: t.update({"model.norm.weight": torch.ones(63)}),
            r"1 tensors of another shape than config.json says: model.norm.weight \(63, not 64\)",
        ),
        (
            lambda t: t.update({f"v_head.{i}": torch.ones(2) for i in range(5)}),
            r"5 tensors the model has no place for: v_head.0, v_head.1, v_head.2, …",
        ),
    ],
    ids=["missing", "shape", "left over"],
)
def test_tensors_that_do_not_fit_are_named(
    saved: Path, change: Callable[[dict[str, torch.Tensor]], object], reason: str
) -> None:
    edit_tensors(saved / "model.safetensors", change)
    with pytest.raises(UserError, match=reason) as caught:
        load(saved)
    assert caught.value.code is Exit.MISMATCH
    assert caught.value.where == str(saved)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.update(model_type="never_heard_of"), "knows no model_type 'never_heard_of'"),
        (lambda c: c.update(model_type="bert"), "is a bert encoder"),
        (lambda c: c.update(model_type="t5"), "is a t5 .*not a causal language model"),
        (
            lambda c: c.update(architectures=["LlamaForSequenceClassification"]),
            "LlamaForSequenceClassification.*, not a causal language model",
        ),
        (lambda c: c.update(num_attention_heads=5), "cannot be loaded: "),
        (lambda c: c.update(hidden_size="wide"), "cannot be loaded: "),
        (lambda c: c.update(auto_map={"AutoModel": "evil.Evil"}), "'auto_map' names code"),
    ],
    ids=["unknown", "encoder", "seq2seq", "classifier", "no config", "wrong type", "code"],
)
def test_configs_that_do_not_fit_are_refused(
    saved: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    edit(saved, change)
    with pytest.raises(UserError, match=reason) as caught:
        load(saved)
    assert caught.value.code is Exit.MISMATCH


def test_an_encoder_folder_is_refused(tmp_path: Path) -> None:
    tiny = BertConfig(
        vocab_size=30,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    with quiet():
        BertModel(tiny).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"is a bert encoder \(BertModel\)") as caught:
        load(tmp_path)
    assert caught.value.code is Exit.MISMATCH


def test_code_beside_the_weights_is_not_run(saved: Path) -> None:
    """Neither by the config's keys, nor because files of the usual names are there."""
    mark = f"open({str(saved / 'ran')!r}, 'w')"
    for name in ("modeling_llama.py", "configuration_llama.py", "__init__.py"):
        (saved / name).write_text(mark)
    (saved / "custom_generate").mkdir()
    (saved / "custom_generate" / "generate.py").write_text(mark)
    load(saved)
    assert not (saved / "ran").exists()


def test_a_lack_of_memory_passes_through(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] can't allocate memory: 9 bytes")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", fail)
    with pytest.raises(MemoryError, match="can't allocate memory"):
        load(saved)


def test_nothing_is_printed_and_the_libraries_are_left_as_they_were(
    saved: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("transformers")
    before = logger.level
    edit_tensors(saved / "model.safetensors", lambda t: t.pop("model.norm.weight"))
    with pytest.raises(UserError):
        load(saved)
    load("tiny-gpt2")
    assert logger.level == before
    assert capfd.readouterr() == ("", "")


# Adapters


@pytest.fixture
def adapter(saved: Path, tmp_path: Path) -> tuple[Path, torch.nn.Module]:
    """A LoRA on the model in `saved`, with weights that change its answers; and that model."""
    config = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(load(saved), config)
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    folder = tmp_path / "adapter"
    model.save_pretrained(folder)
    edit_adapter(folder, lambda c: c.update(base_model_name_or_path=str(saved)))
    return folder, model.eval()


def edit_adapter(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "adapter_config.json"
    config = json.loads(path.read_bytes())
    change(config)
    path.write_text(json.dumps(config))


def test_an_adapter_is_applied(adapter: tuple[Path, torch.nn.Module], saved: Path) -> None:
    folder, model = adapter
    files = resolve(str(folder))
    assert (files.folder, files.adapter, files.tokenizer) == (saved, folder, saved)
    loaded, ids = load(files), torch.arange(20)[None]
    assert torch.equal(loaded(ids).logits, model(ids).logits)
    assert not torch.allclose(loaded(ids).logits, load(saved)(ids).logits)
    halved = load(files, dtype=torch.bfloat16)
    assert {p.dtype for n, p in halved.named_parameters() if "lora" in n} == {torch.float32}
    assert {p.dtype for n, p in halved.named_parameters() if "lora" not in n} == {torch.bfloat16}


def test_random_weights_under_an_adapter_are_those_of_its_run(
    adapter: tuple[Path, torch.nn.Module],
) -> None:
    folder, _ = adapter
    ids, preset = torch.arange(20)[None], resolve("tiny-llama")
    expected = load(replace(preset, adapter=folder), seed=4)(ids).logits
    assert not torch.equal(load(replace(preset, adapter=folder), seed=5)(ids).logits, expected)
    from_run = replace(preset, adapter=folder, seed=4)
    assert torch.equal(load(from_run, seed=5)(ids).logits, expected)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.pop(sorted(t)[0]), "1 adapter tensors missing: .*q_proj.lora_A"),
        (
            lambda t: t.update({"base_model.model.x.lora_A.weight": torch.ones(2)}),
            "1 adapter tensors the model has no place for: base_model.model.x",
        ),
        (
            lambda t: t.update({sorted(t)[0]: torch.ones(2, 63)}),
            "cannot be loaded: .*size mismatch",
        ),
    ],
    ids=["missing", "left over", "shape"],
)
def test_adapter_tensors_that_do_not_fit_are_named(
    adapter: tuple[Path, torch.nn.Module],
    change: Callable[[dict[str, torch.Tensor]], object],
    reason: str,
) -> None:
    folder, _ = adapter
    edit_tensors(folder / "adapter_model.safetensors", change)
    with pytest.raises(UserError, match=reason) as caught:
        load(folder)
    assert caught.value.code is Exit.MISMATCH
    assert caught.value.where == str(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.update(task_type="SEQ_CLS"), "is an adapter for SEQ_CLS"),
        (lambda c: c.update(peft_type="TOMORROW"), "peft knows no 'TOMORROW'"),
        (lambda c: c.update(of_tomorrow=3), "uses of_tomorrow"),
        (lambda c: c.update(megatron_config={"a": 1}, megatron_core="evil"), "megatron_config"),
        (lambda c: c.update(target_modules=["nowhere"]), "cannot be loaded: .*nowhere"),
    ],
)
def test_adapter_settings_that_do_not_fit_are_refused(
    adapter: tuple[Path, torch.nn.Module], change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    folder, _ = adapter
    edit_adapter(folder, change)
    with pytest.raises(UserError, match=reason) as caught:
        load(folder)
    assert caught.value.code is Exit.MISMATCH


def test_an_adapter_that_trained_embeddings_keeps_them(saved: Path, tmp_path: Path) -> None:
    config = peft.LoraConfig(r=2, target_modules=["embed_tokens"], task_type="CAUSAL_LM")
    with quiet():
        model = peft.get_peft_model(load(saved), config)
        model.save_pretrained(tmp_path / "adapter", save_embedding_layers=True)
    files = replace(resolve(str(saved)), adapter=tmp_path / "adapter")
    assert same(load(files), model)


def test_positions_stay_exact_in_bfloat16() -> None:
    """A preset that is drawn computes as the same one does when it is stored and loaded."""
    drawn = load_model(resolve("tiny-llama"), dtype=torch.bfloat16)
    buffers = {name: tensor.dtype for name, tensor in drawn.named_buffers()}
    assert buffers
    assert set(buffers.values()) == {torch.float32}
    assert {p.dtype for p in drawn.parameters()} == {torch.bfloat16}


def classifier(folder: Path, labels: str, **config: Any) -> Path:
    """A trained classifier as a plain folder."""
    head = Head("sequence", tuple(labels), "single_label_classification")
    model = load("tiny-bert", seed=3, head=head)
    folder.mkdir()
    save_model(model, folder, torch.float32)
    return folder


def test_a_head_that_grows_keeps_what_it_knows(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "model", "ab")
    head = Head("sequence", ("a", "b", "c"), "single_label_classification", 5)
    before, found = load(folder, head=replace(head, labels=("a", "b"))), load(folder, head=head)
    assert found.classifier.weight.shape == (3, 64)
    assert found.classifier.weight[:2].equal(before.classifier.weight)
    assert found.classifier.bias[:2].equal(before.classifier.bias)
    assert found.classifier.weight[2].abs().max() > 0
    assert found.config.id2label == {0: "a", 1: "b", 2: "c"}
    assert found.config.pad_token_id == before.config.pad_token_id == 5
    assert same(found.bert, before.bert)
    assert load(folder, head=head).classifier.weight.equal(found.classifier.weight)
    # labels in another order are another head
    other = load(folder, head=replace(head, labels=("b", "a", "c")))
    assert not other.classifier.weight[:2].equal(before.classifier.weight)
    assert same(other.bert, before.bert)


def test_layers_of_adapters_with_heads_of_their_own(tmp_path: Path) -> None:
    one, two = (
        Head("sequence", tuple(labels), "single_label_classification") for labels in ("ab", "abc")
    )
    first = Case("lora:rank=2", "tiny-bert", one).train()
    lower = first.save(tmp_path / "one")
    below = replace(resolve("tiny-bert"), adapter=lower, head=one).as_base()
    assert_near(first.logits(load(below, head=one)), first.logits(), 1e-5)
    grown = load(below, head=two)
    assert grown.classifier.weight.shape == (3, 64)
    trained = first.model.base_model.model.classifier.modules_to_save.default.weight
    assert grown.classifier.weight[:2].equal(trained)
    # the body is the adapted one under any other head too
    tags = load(below, head=Head("token", ("x", "y")))
    assert type(tags).__name__ == "BertForTokenClassification"
    adapted, plain = (
        m.state_dict()["encoder.layer.0.attention.self.query.weight"]
        for m in (tags.bert, first.base.bert)
    )
    assert (adapted - plain).abs().max() > 1e-4
    assert adapted.equal(grown.bert.encoder.layer[0].attention.self.query.weight)
    half = load(below, head=two, dtype=torch.bfloat16)
    assert half.dtype == torch.bfloat16
    assert half.classifier.weight.equal(grown.classifier.weight.bfloat16())
