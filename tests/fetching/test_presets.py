"""The byte-level tokenizer and the configs of the presets, without torch."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers.pre_tokenizers import ByteLevel

from instructune.fetching import presets
from instructune.fetching.modelfiles import ModelFiles, resolve
from instructune.tokenizer import Tokenizer

BACKEND = Backend.from_str(presets.byte_tokenizer().decode())


@pytest.fixture
def llama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelFiles:
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path))
    return resolve("tiny-llama")


def test_the_letters_are_the_byte_level_alphabet() -> None:
    letters = [presets._letter(byte) for byte in range(256)]
    assert len(set(letters)) == 256
    assert set(letters) == set(ByteLevel.alphabet())
    assert (letters[0x20], letters[0x0A], letters[0x41], letters[0xAD]) == ("Ġ", "Ċ", "A", "Ń")


def test_the_id_of_a_byte_is_the_byte() -> None:
    assert BACKEND.encode("Aé\n 你").ids == [65, 195, 169, 10, 32, 228, 189, 160]
    assert BACKEND.get_vocab_size() == 260


def test_special_tokens_stay_whole() -> None:
    ids = BACKEND.encode("<|im_start|>user\nhi<|im_end|>").ids
    assert ids == [257, *b"user\nhi", 258]
    assert [BACKEND.token_to_id(token) for token in presets.SPECIALS] == [256, 257, 258, 259]


@given(st.text())
def test_every_text_is_its_utf8_bytes_and_comes_back(text: str) -> None:
    if any(token in text for token in presets.SPECIALS):
        return
    ids = BACKEND.encode(text).ids
    assert ids == list(text.encode("utf-8"))
    assert BACKEND.decode(ids) == text


def test_the_tokens_of_the_character_preset_are_characters(llama: ModelFiles) -> None:
    folder = resolve("tiny-bert-chars").folder
    tokenizer = Backend.from_file(str(folder / "tokenizer.json"))
    encoded = tokenizer.encode("A 技，\n🙂é")
    assert encoded.tokens == ["[CLS]", "A", " ", "技", "，", "[UNK]", "[UNK]", "é", "[SEP]"]
    assert encoded.offsets[1:-1] == [(i, i + 1) for i in range(7)]
    assert tokenizer.decode(tokenizer.encode("技术 is IT").ids) == "技术 is IT"
    config = json.loads((folder / "config.json").read_bytes())
    assert config["vocab_size"] == tokenizer.get_vocab_size() == Tokenizer(folder).size
    assert config["pad_token_id"] == tokenizer.token_to_id("<|pad|>") == Tokenizer(folder).pad_id


def test_a_preset_is_a_model_folder_without_weights(llama: ModelFiles) -> None:
    assert sorted(p.name for p in llama.folder.iterdir()) == [
        "chat_template.jinja",
        "config.json",
        "contents.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert llama.random
    assert (llama.adapter, llama.run, llama.tokenizer) == (None, None, llama.folder)


def test_fingerprints_name_the_configs(llama: ModelFiles) -> None:
    assert llama.fingerprint == resolve("tiny-llama").fingerprint
    assert llama.fingerprint != resolve("tiny-gpt2").fingerprint
    assert len(llama.fingerprint) == 16


def test_the_ids_agree_across_the_files(llama: ModelFiles) -> None:
    for name in ("tiny-llama", "tiny-gpt2", "tiny-t5"):
        folder = resolve(name).folder
        config = json.loads((folder / "config.json").read_bytes())
        generation = json.loads((folder / "generation_config.json").read_bytes())
        tokenizer = Tokenizer(folder)
        assert config["vocab_size"] == tokenizer.size == 260
        assert config["eos_token_id"] == generation["eos_token_id"] == tokenizer.eos_id == 258
        assert config["pad_token_id"] == tokenizer.pad_id == 256
        assert tokenizer.stop_ids == {258}


def test_the_template_is_chatml_and_prompts_are_prefixes(llama: ModelFiles) -> None:
    template = Tokenizer(llama.folder).template
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "4"},
        {"role": "tool", "content": "ok"},
        {"role": "assistant", "content": "Done."},
    ]
    whole = template.render(messages).text
    assert whole == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\n2+2?<|im_end|>\n"
        "<|im_start|>assistant\n4<|im_end|>\n"
        "<|im_start|>tool\nok<|im_end|>\n"
        "<|im_start|>assistant\nDone.<|im_end|>\n"
    )
    for turns in (2, 4):
        prompt = template.render(messages[:turns], add_generation_prompt=True).text
        assert whole.startswith(prompt)
        assert prompt.endswith("<|im_start|>assistant\n")


def test_a_preset_is_there_at_once(llama: ModelFiles) -> None:
    started = time.process_time()
    resolve("tiny-llama")
    assert time.process_time() - started < 0.3
