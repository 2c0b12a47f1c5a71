"""What training saves loads in plain transformers and peft, and computes what was trained."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import resolve
from instructune.libraries import quiet
from instructune.models import load_model
from instructune.training import checkpoints
from tests.tuning import chats, train_run, write_rows

IDS = torch.arange(40, 100)[None]
LORA = {"method": "lora:rank=4,alpha=8"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model, one trained in full, one with an adapter; each run beside what it computed."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("saving")
    write_rows(folder / "data.jsonl", chats(16))
    train_run(folder, output=str(folder / "base"), steps=2)
    base = str(folder / "base/model")
    for name, more in (("full", {}), ("lora", LORA)):
        watched(folder, name, model=base, steps=6, learning_rate=0.01, **more)
    train_run(folder, model="tiny-gpt2", output=str(folder / "gpt2"), steps=1)
    base = str(folder / "gpt2/model")
    watched(folder, "gpt2-lora", model=base, steps=6, learning_rate=0.01, **LORA)
    return folder


def watched(folder: Path, name: str, **settings: Any) -> None:
    """Train, and keep the logits of the trained model as it was in memory."""
    from instructune.training import fitting

    kept = []
    real = fitting.save_trained

    def save(*parts: Any) -> None:
        real(*parts)
        model = parts[3].model.eval()
        with torch.no_grad():
            kept.append(model(input_ids=IDS).logits.float())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "save_trained", save)
        train_run(folder, output=str(folder / name), **settings)
    save_file({"logits": kept[0]}, folder / f"{name}.safetensors")


PLAIN = """
import json, sys
from importlib.abc import MetaPathFinder

class Blocked(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "instructune":
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
import peft, torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(1)
folder = sys.argv[1]
ids = torch.arange(40, 100)[None]

def error(model, name):
    with torch.no_grad():
        logits = model.eval()(input_ids=ids).logits.float()
    return (logits - load_file(f"{folder}/{name}.safetensors")["logits"]).abs().max().item()

def load(path):
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, local_files_only=True)

full = load(f"{folder}/full/model")
tokenizer = AutoTokenizer.from_pretrained(f"{folder}/full/model", local_files_only=True)
adapted = peft.PeftModel.from_pretrained(load(f"{folder}/base/model"), f"{folder}/lora/adapter")
gpt2 = peft.PeftModel.from_pretrained(load(f"{folder}/gpt2/model"), f"{folder}/gpt2-lora/adapter")
chat = [{"role": "user", "content": "1 + 1"}]
prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
answer = full.generate(
    **tokenizer(prompt, return_tensors="pt", add_special_tokens=False), max_new_tokens=4
)
found = {
    "full": error(full, "full"),
    "adapter": error(adapted, "lora"),
    "adapter of gpt2": error(gpt2, "gpt2-lora"),
    "prompt": prompt,
    "adapter's": AutoTokenizer.from_pretrained(f"{folder}/lora/adapter").apply_chat_template(
        chat, add_generation_prompt=True, tokenize=False
    ),
    "eos": full.generation_config.eos_token_id,
    "cache": full.config.use_cache,
    "answered": answer.shape[1] > 1,
    "merged": error(adapted.merge_and_unload(), "lora"),
    "merged gpt2": error(gpt2.merge_and_unload(), "gpt2-lora"),
    "untouched": error(load(f"{folder}/base/model"), "lora"),
    "imported": sorted(m for m in sys.modules if m.startswith("instructune")),
}
print(json.dumps(found))
"""


def test_plain_libraries_load_what_was_trained(folder: Path) -> None:
    command = [sys.executable, "-c", PLAIN, str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["full"] < 1e-6
    assert found["adapter"] < 1e-6
    assert found["adapter of gpt2"] < 1e-6
    assert found["merged"] < 1e-5
    assert found["merged gpt2"] < 1e-5
    assert found["untouched"] > 1e-2  # the adapter does something
    prompt = "<|im_start|>user\n1 + 1<|im_end|>\n<|im_start|>assistant\n"
    assert found["prompt"] == found["adapter's"] == prompt
    assert found["eos"] == [258]
    assert found["cache"] is True
    assert found["answered"] is True
    assert found["imported"] == []


def test_what_lies_in_the_folders(folder: Path) -> None:
    tokenizer = {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}
    model = {p.name for p in (folder / "full/model").iterdir()}
    assert model == tokenizer | {"config.json", "generation_config.json", "model.safetensors"}
    adapter = {p.name for p in (folder / "lora/adapter").iterdir()}
    files = {"adapter_config.json", "adapter_model.safetensors", "generation_config.json"}
    assert adapter == tokenizer | files
    assert not (folder / "lora/model").exists()
    assert not (folder / "full/adapter").exists()
    config = json.loads((folder / "lora/adapter/adapter_config.json").read_text())
    # which peft keeps as a set, whose order is another in each process
    assert config["target_modules"] == sorted(config["target_modules"])
    assert len(config["target_modules"]) > 3
    assert config["base_model_name_or_path"] == str(folder / "base/model")
    stops = json.loads((folder / "full/model/generation_config.json").read_text())
    assert stops == {"eos_token_id": [258], "pad_token_id": 256}


def test_our_own_loader_reads_them(folder: Path) -> None:
    for name in ("full", "lora"):
        model = load_model(resolve(str(folder / name)), dtype=torch.float32)
        with torch.no_grad():
            logits = model(input_ids=IDS).logits
        wanted = load_file(folder / f"{name}.safetensors")["logits"]
        assert (logits - wanted).abs().max() < 1e-6


def dtypes(path: Path) -> set[torch.dtype]:
    with safe_open(path, "pt") as tensors:
        return {tensors.get_tensor(name).dtype for name in tensors.keys()}  # noqa: SIM118


@pytest.mark.parametrize("asked", [None, "float32", "bfloat16", "float16"])
def test_the_dtype_of_the_weights(folder: Path, tmp_path: Path, asked: str | None) -> None:
    given = {"data": (str(folder / "data.jsonl"),), "steps": 1, "save_dtype": asked}
    train_run(tmp_path, **given)
    wanted = asked or "float32"  # as the preset is stored
    assert dtypes(tmp_path / "run/model/model.safetensors") == {getattr(torch, wanted)}
    config = json.loads((tmp_path / "run/model/config.json").read_text())
    assert config["dtype"] == wanted
    # trained from a model that is stored otherwise: its dtype is the default
    given |= {"model": str(tmp_path / "run"), "output": str(tmp_path / "next"), "save_dtype": None}
    train_run(tmp_path, **given)
    assert dtypes(tmp_path / "next/model/model.safetensors") == {getattr(torch, wanted)}


def test_weights_are_rounded_once_from_the_masters(folder: Path, tmp_path: Path) -> None:
    given = {"data": (str(folder / "data.jsonl"),), "steps": 3, "dtype": "bfloat16"}
    train_run(tmp_path, **given)
    saved = load_file(tmp_path / "run/model/model.safetensors")
    (path,) = (tmp_path / "run/checkpoints").glob("step-000003")
    masters = checkpoints.load(path)[0]
    for name, tensor in saved.items():
        assert torch.equal(tensor, masters[f"master.{name}"]), name
    assert any(not torch.equal(t, t.bfloat16().float()) for t in saved.values())


def test_adapters_are_float32_whatever_was_computed_in(folder: Path, tmp_path: Path) -> None:
    given = {"data": (str(folder / "data.jsonl"),), "steps": 1, "dtype": "bfloat16"} | LORA
    train_run(tmp_path, **given)
    assert dtypes(tmp_path / "run/adapter/adapter_model.safetensors") == {torch.float32}
    with pytest.raises(UserError, match="adapters are saved in float32") as raised:
        train_run(tmp_path, **given, save_dtype="bfloat16")
    assert raised.value.code == Exit.USAGE


def test_the_best_weights_are_what_is_saved(folder: Path, tmp_path: Path) -> None:
    held_out = write_rows(tmp_path / "eval.jsonl", chats(6, start=100))
    report = train_run(
        tmp_path,
        data=(str(folder / "data.jsonl"),),
        eval_data=held_out,
        eval_every=1,
        steps=5,
        learning_rate=1.0,
        schedule="constant",
    )
    assert report["best_step"] == 1
    saved = load_file(tmp_path / "run/model/model.safetensors")
    best, _ = checkpoints.load(tmp_path / "run/best")
    last, _ = checkpoints.load(tmp_path / "run/last")
    assert all(torch.equal(tensor, best[f"master.{name}"]) for name, tensor in saved.items())
    assert not any(torch.equal(tensor, last[f"master.{name}"]) for name, tensor in saved.items())


def test_a_full_disk_leaves_no_model(folder: Path, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    from instructune.training import fitting

    real = fitting.save_trained

    def save(*parts: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            real(*parts)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    given = {"data": (str(folder / "data.jsonl"),), "steps": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "save_trained", save)
        with pytest.raises(UserError, match="file too large") as raised:
            train_run(tmp_path, **given)
    assert raised.value.code == Exit.IO
    run = tmp_path / "run"
    assert not (run / "model").exists()
    assert not [p.name for p in run.iterdir() if p.name.startswith(".tmp")]
    assert train_run(tmp_path, **given)["steps_this_time"] == 0
    assert (run / "model/model.safetensors").is_file()


def test_the_number_of_trained_parameters_is_that_of_the_formula(folder: Path) -> None:
    report = json.loads((folder / "lora/run.json").read_text())["result"]
    width, inner, narrow, rank = 64, 176, 32, 4
    # query, key, value, output, gate, up, down of two layers
    shapes = [(width, width), (width, narrow), (width, narrow), (width, width)]
    shapes += [(width, inner), (width, inner), (inner, width)]
    expected = 2 * sum(rank * (rows + columns) for rows, columns in shapes)
    assert report["trainable_parameters"] == expected
    saved = load_file(folder / "lora/adapter/adapter_model.safetensors")
    assert sum(tensor.numel() for tensor in saved.values()) == expected
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(folder / "base/model")
    assert report["parameters"] == sum(p.numel() for p in model.parameters()) + expected
    assert peft.PeftConfig.from_pretrained(folder / "lora/adapter").r == rank
