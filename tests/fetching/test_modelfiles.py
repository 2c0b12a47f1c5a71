"""What `-m` takes, and what is said where it takes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import huggingface_hub.constants as constants
import numpy as np
import pytest
from safetensors.numpy import save_file

from instructune.architectures import Head
from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import Base, Layer, resolve


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scratch folder as the current one, an empty cache, and a Hub that is away."""
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)


def model(folder: str | Path, fill: float = 0.0, **config: Any) -> Path:
    """A folder with all the files of a model, as far as nobody loads it."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]} | config
    (folder / "config.json").write_text(json.dumps(config))
    save_file({"a": np.full(4, fill, "float32")}, folder / "model.safetensors")
    (folder / "tokenizer.json").write_text("{}")
    return folder


def adapter(folder: str | Path, base: object) -> Path:
    folder = Path(folder)
    folder.mkdir(parents=True)
    config = {"peft_type": "LORA", "base_model_name_or_path": base}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file({"lora": np.ones(4, "float32")}, folder / "adapter_model.safetensors")
    return folder


def run(folder: str | Path, **document: Any) -> Path:
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"state": "finished"} | document))
    return folder


def refused(spec: str | Path) -> UserError:
    with pytest.raises(UserError) as caught:
        resolve(str(spec))
    return caught.value


# Folders


def test_a_folder(tmp_path: Path) -> None:
    files = resolve(str(model(tmp_path / "m")))
    assert files.folder == files.tokenizer == tmp_path / "m"
    assert (files.adapter, files.run, files.random) == (None, None, False)


def test_the_fingerprint_follows_weights_and_config_not_the_place(tmp_path: Path) -> None:
    first = resolve(str(model("m"))).fingerprint
    shutil.copytree("m", "copy")
    assert resolve("copy").fingerprint == first
    model("other-weights", fill=1.0)
    model("other-config", rms_norm_eps=1e-6)
    model("other-writer", transformers_version="9")
    assert resolve("other-weights").fingerprint != first
    assert resolve("other-config").fingerprint != first
    assert resolve("other-writer").fingerprint == first
    assert len(first) == 16


def test_a_path_beats_the_hub() -> None:
    model("ada/tiny")
    assert resolve("ada/tiny").folder == Path("ada/tiny")


@pytest.mark.parametrize(
    ("take_away", "code", "reason"),
    [
        ("config.json", Exit.NO_INPUT, "no config.json"),
        ("model.safetensors", Exit.NO_INPUT, "no model.safetensors"),
    ],
)
def test_a_folder_without_its_files_is_66(take_away: str, code: Exit, reason: str) -> None:
    (model("m") / take_away).unlink()
    assert (refused("m").code, refused("m").reason) == (code, reason)


def test_pickles_are_refused() -> None:
    folder = model("m")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert refused("m").code is Exit.BAD_DATA


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "generation_config.json"])
def test_code_by_name_is_refused_in_every_file(name: str) -> None:
    document = {"model_type": "llama", "auto_map": {"AutoTokenizer": "evil.Evil"}}
    (model("m") / name).write_text(json.dumps(document))
    assert refused("m").code is Exit.MISMATCH


@pytest.mark.parametrize(
    ("name", "data", "hint"),
    [
        ("model.safetensors", b"", "name its folder"),
        ("weights.bin", b"\x80\x04.", None),
        ("fake.gguf", b"PK", None),
    ],
)
def test_other_files_are_no_models(name: str, data: bytes, hint: str | None) -> None:
    Path(name).write_bytes(data)
    error = refused(name)
    assert (error.code, error.hint) == (Exit.BAD_DATA, hint)


def test_a_broken_gguf_is_65_and_leaves_nothing(tmp_path: Path) -> None:
    Path("broken.gguf").write_bytes(b"GGUF\x03\0\0\0")
    error = refused("broken.gguf")
    assert error.code is Exit.BAD_DATA
    assert error.where == "broken.gguf"
    assert list((tmp_path / "cache" / "models").iterdir()) == []


# Runs and adapters


def test_a_run_with_a_whole_model() -> None:
    folder = run("exp")
    model(folder / "model")
    files = resolve("exp")
    assert (files.folder, files.run, files.adapter) == (Path("exp/model"), Path("exp"), None)
    assert files.fingerprint == resolve("exp/model").fingerprint


def test_a_run_with_an_adapter() -> None:
    model("base")
    base = resolve("base")
    folder = run("exp", base="base", seed=7, fingerprints={"model": base.fingerprint})
    adapter(folder / "adapter", "base")
    files = resolve("exp")
    assert (files.folder, files.adapter) == (Path("base"), Path("exp/adapter"))
    assert (files.run, files.name, files.seed) == (Path("exp"), "exp", None)
    assert files.tokenizer == Path("base")
    assert files.fingerprint not in (base.fingerprint, resolve("exp/adapter").run)
    (folder / "adapter" / "tokenizer.json").write_text("{}")
    assert resolve("exp").tokenizer == Path("exp/adapter")


def test_a_run_remembers_the_seed_of_random_weights() -> None:
    prints = []
    for seed in (7, 8):
        folder = run(f"exp-{seed}", base="tiny-llama", seed=seed)
        adapter(folder / "adapter", "tiny-llama")
        files = resolve(str(folder))
        assert (files.random, files.seed) == (True, seed)
        prints.append(files.fingerprint)
    assert prints[0] != prints[1]


def test_another_base_than_the_one_trained_on_is_refused() -> None:
    model("base")
    adapter(run("exp", base="base", fingerprints={"model": "0" * 16}) / "adapter", "base")
    error = refused("exp")
    assert error.code is Exit.MISMATCH
    assert "other weights" in error.reason
    assert "0" * 16 in str(error.hint)


def test_a_base_is_also_looked_for_beside_its_adapter(tmp_path: Path) -> None:
    model("deep/base")
    adapter(run("deep/exp", base="base") / "adapter", "base")
    assert resolve("deep/exp").folder == Path("deep/base")


def test_a_run_that_never_ended_is_66() -> None:
    run("exp", state="stopped")
    error = refused("exp")
    assert error.code is Exit.NO_INPUT
    assert error.reason == "the run has no model yet (state: stopped)"


def test_a_plain_adapter_folder() -> None:
    model("base")
    adapter("lora", "base")
    files = resolve("lora")
    assert (files.folder, files.adapter, files.run) == (Path("base"), Path("lora"), None)


def test_a_plain_adapter_on_random_weights_is_refused() -> None:
    adapter("lora", "tiny-llama")
    error = refused("lora")
    assert error.code is Exit.MISMATCH
    assert "seed is not known" in error.reason


@pytest.mark.parametrize("base", [None, "", 3])
def test_an_adapter_without_a_base_is_refused(base: object) -> None:
    adapter("lora", base)
    assert refused("lora").reason == "names no base model"


def test_adapters_on_adapters() -> None:
    base = resolve(str(model("base")))
    adapter("first", "base")
    first = resolve("first")
    adapter("second", "first")
    adapter("third", "second")
    files = resolve("third")
    assert (files.name, files.folder, files.adapter) == ("third", Path("base"), Path("third"))
    assert files.layers == (Layer(Path("first"), base.head), Layer(Path("second"), base.head))
    assert files.base == Base("second", resolve("second").fingerprint)
    assert len({base.fingerprint, first.fingerprint, files.fingerprint, files.base[1]}) == 4
    assert files.folders == [Path("third"), Path("second"), Path("first"), Path("base")]
    (Path("first") / "tokenizer.json").write_text("{}")
    assert files.tokenizer == Path("first")
    below = files.as_base()
    assert (below.adapter, below.base, below.fingerprint) == (None, None, files.fingerprint)
    assert below.layers == (*files.layers, Layer(Path("third"), base.head))
    assert below.as_base() is below


def test_a_run_on_a_run_has_the_seed_of_the_lowest() -> None:
    adapter(run("low", base="tiny-llama", seed=3) / "adapter", "tiny-llama")
    adapter(run("high", base="low", seed=4, base_seed=3) / "adapter", "low")
    # trained further: its own seed is another one than that of the weights below
    adapter(run("on", base="tiny-llama", seed=7, base_seed=3) / "adapter", "tiny-llama")
    assert [resolve(name).seed for name in ("low", "high", "on")] == [3, 3, 3]
    assert not resolve("low").is_drawn
    assert resolve("tiny-llama").is_drawn


def test_the_head_is_that_of_the_run() -> None:
    said = {"kind": "sequence", "labels": ["a", "b"], "problem": None, "pad_id": 3}
    answers = {"answers": {"objective": "classify", "head": said, "facts": {}}}
    adapter(run("exp", base="tiny-bert", seed=3, **answers) / "adapter", "tiny-bert")
    assert resolve("exp").head == Head("sequence", ("a", "b"), None, 3)
    assert resolve("tiny-bert").head == Head("masked")


def test_an_adapter_that_stands_on_itself() -> None:
    adapter("self", "self")
    adapter("one", "other")
    adapter("other", "one")
    for spec in ("self", "one"):
        error = refused(spec)
        assert error.code is Exit.MISMATCH
        assert "in the end its own base model" in error.reason


def test_an_adapter_of_pickles_is_refused() -> None:
    model("base")
    folder = adapter("lora", "base")
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    assert refused("lora").code is Exit.BAD_DATA


def test_a_base_that_is_not_there_is_named_with_its_adapter() -> None:
    adapter("lora", "./gone")
    error = refused("lora")
    assert (error.where, error.code) == ("lora", Exit.NO_INPUT)
    assert error.reason.startswith("its base model './gone': no such")


# Nothing


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("tiny-lama", "did you mean 'tiny-llama'?"),
        ("smollm-135m", "did you mean 'smollm2-135m'?"),
        ("./runs/exp-on", "did you mean 'runs/exp-one'?"),
        ("runs/exp-on/", "did you mean 'runs/exp-one'?"),
        ("/no/such/place", None),
        ("model.gguf", None),
    ],
)
def test_what_is_not_there_is_66_with_what_is_near(spec: str, hint: str | None) -> None:
    model("runs/exp-one")
    error = refused(spec)
    assert (error.code, error.where, error.hint) == (Exit.NO_INPUT, spec, hint)
    assert "tiny-gpt2" in error.reason


def test_what_could_be_on_the_hub_is_69_while_that_is_away() -> None:
    model("runs/exp-one")
    error = refused("runs/exp-on")
    assert error.code is Exit.UNAVAILABLE
    assert error.hint == "did you mean 'runs/exp-one'?"
    assert refused("gpt2").code is Exit.UNAVAILABLE


def test_an_empty_name_is_a_usage_error() -> None:
    assert refused("").code is Exit.USAGE


def test_a_name_too_long_for_a_file_is_66() -> None:
    assert refused("x/" * 3000).code is Exit.NO_INPUT


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_77() -> None:
    model("shut/m")
    Path("shut").chmod(0)
    try:
        assert refused("shut/m").code is Exit.PERMISSION
    finally:
        Path("shut").chmod(0o755)


def test_resolving_needs_no_torch(tmp_path: Path) -> None:
    model("m")
    adapter("lora", "m")
    script = (
        "import sys; from instructune.fetching.modelfiles import Base, Layer, resolve\n"
        "before = {'torch', 'transformers', 'peft', 'huggingface_hub', 'numpy', 'gguf', 'rich'}\n"
        "print(sorted(before & set(sys.modules)))\n"
        "for spec in ('tiny-llama', 'm', 'lora'): resolve(spec)\n"
        "print(sorted(before & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n[]\n", done.stderr
