"""modelfacts: stops of adapter, model and tokenizer; places an adapter takes; seeds of presets."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from instructune.answering.modelfacts import fingerprint, longest, stop_ids
from instructune.fetching.modelfiles import ModelFiles, resolve
from instructune.tokenizer import Tokenizer


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))


def with_folders(tmp_path: Path, **documents: Any) -> ModelFiles:
    """A preset's files, with a folder of these documents each: `model_config={…}`."""
    found = {}
    for name, document in documents.items():
        side, _, file = name.partition("_")
        folder = tmp_path / side
        folder.mkdir(exist_ok=True)
        (folder / f"{file}.json").write_text(json.dumps(document))
        found[{"model": "folder"}.get(side, side)] = folder
    return dataclasses.replace(resolve("tiny-llama"), **found)


def test_only_a_preset_s_weights_are_told_by_a_seed():
    files = resolve("tiny-llama")
    assert fingerprint(files, 0) == fingerprint(files, 0) != fingerprint(files, 1)
    for own in (dataclasses.replace(files, seed=3), dataclasses.replace(files, random=False)):
        assert fingerprint(own, 0) == fingerprint(own, 1) == files.fingerprint


def test_the_longest_sequence(tmp_path):
    files = with_folders(tmp_path, model_config={"max_position_embeddings": 24})
    assert [longest(files, asked) for asked in (None, 10, 100)] == [24, 10, 24]
    short = with_folders(tmp_path, model_config={"max_position_embeddings": 24}, adapter_x={})
    assert longest(short, None) == 24
    taken = {"num_virtual_tokens": 5}
    virtual = with_folders(
        tmp_path, model_config={"max_position_embeddings": 24}, adapter_adapter_config=taken
    )
    assert [longest(virtual, asked) for asked in (None, 10)] == [19, 5]
    endless = with_folders(tmp_path, model_config={"model_type": "t5"})
    assert [longest(endless, asked) for asked in (None, 10)] == [None, 10]


def test_stops_are_the_adapter_s_else_the_model_s_and_eos(tmp_path):
    tokenizer = Tokenizer(resolve("tiny-llama").tokenizer)
    base = {"model_config": {"eos_token_id": 5}, "model_generation_config": {"eos_token_id": [7]}}
    eos = tokenizer.eos_id
    assert stop_ids(with_folders(tmp_path, **base), tokenizer) == {eos, 7}
    silent = with_folders(tmp_path, **base, adapter_generation_config={"eos_token_id": None})
    assert stop_ids(silent, tokenizer) == {eos, 7}
    own = with_folders(tmp_path, **base, adapter_generation_config={"eos_token_id": 0})
    assert stop_ids(own, tokenizer) == {eos, 0}
    bare = with_folders(tmp_path / "cache", model_config={"eos_token_id": 5})
    assert stop_ids(bare, tokenizer) == {eos, 5}
