"""Which files hold the weights, whether they are whole, and what tells them apart."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from instructune.errors import Exit, UserError
from instructune.fetching import weightfiles
from instructune.fetching.weightfiles import digest, header, weight_files


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    rng = np.random.default_rng(0)
    save_file({f"layer.{i}": rng.random((64, 64), "float32") for i in range(4)}, path)
    return path


def index(folder: Path, weight_map: object) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def test_a_single_file(weights: Path) -> None:
    assert weight_files(weights.parent) == [weights]
    assert header(weights)["layer.3"]["shape"] == [64, 64]


def test_shards_in_order(tmp_path: Path) -> None:
    for name in ("model-1.safetensors", "model-2.safetensors"):
        save_file({name: np.zeros(2)}, tmp_path / name)
    index(tmp_path, {"b": "model-2.safetensors", "a": "model-1.safetensors"})
    found = [path.name for path in weight_files(tmp_path)]
    assert found == ["model-1.safetensors", "model-2.safetensors"]


@pytest.mark.parametrize(
    ("weight_map", "reason", "code"),
    [
        ({"a": "gone.safetensors"}, "gone.safetensors is missing", Exit.NO_INPUT),
        ({"a": "../model.safetensors"}, "outside its folder", Exit.BAD_DATA),
        ({"a": "/etc/passwd"}, "outside its folder", Exit.BAD_DATA),
        ({"a": "model.bin"}, "outside its folder", Exit.BAD_DATA),
        ({}, "names no shards", Exit.BAD_DATA),
        (["x"], "names no shards", Exit.BAD_DATA),
    ],
)
def test_a_bad_index_is_refused(
    tmp_path: Path, weight_map: object, reason: str, code: Exit
) -> None:
    index(tmp_path, weight_map)
    with pytest.raises(UserError, match=reason) as caught:
        weight_files(tmp_path)
    assert caught.value.code is code


@pytest.mark.parametrize("suffix", [".bin", ".pt", ".pth", ".pkl", ".ckpt"])
def test_pickles_are_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"pytorch_model{suffix}").write_bytes(b"\x80\x04.")
    with pytest.raises(UserError, match="can run code") as caught:
        weight_files(tmp_path)
    assert caught.value.code is Exit.BAD_DATA
    assert "safetensors" in str(caught.value.hint)


def test_no_weights_at_all_is_66(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no model\.safetensors") as caught:
        weight_files(tmp_path)
    assert caught.value.code is Exit.NO_INPUT


def test_every_cut_is_noticed(weights: Path) -> None:
    data = weights.read_bytes()
    for size in (0, 4, 8, 100, len(data) // 2, len(data) - 1):
        weights.write_bytes(data[:size])
        with pytest.raises(UserError) as caught:
            header(weights)
        assert caught.value.code is Exit.BAD_DATA, size
    weights.write_bytes(data + b"\0")
    with pytest.raises(UserError, match="long where its header says"):
        header(weights)


@pytest.mark.parametrize(
    "head",
    [
        (1 << 63).to_bytes(8, "little"),
        (101_000_000).to_bytes(8, "little"),
        (2).to_bytes(8, "little") + b"[]",
        (8).to_bytes(8, "little") + b'{"a":[]}',
        (8).to_bytes(8, "little") + b"garbage!",
        (18).to_bytes(8, "little") + b'{"a":1,"a":2}     ',
    ],
    ids=["huge", "over the format's limit", "array", "no offsets", "no JSON", "twice"],
)
def test_hostile_headers_are_refused(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(head)
    with pytest.raises(UserError):
        header(path)


def test_a_small_file_is_hashed_whole(weights: Path) -> None:
    assert digest(weights) == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_a_large_file_is_hashed_by_a_sample_of_every_tensor(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weightfiles, "_WHOLE", 100)
    monkeypatch.setattr(weightfiles, "_EDGE", 64)
    before, data = digest(weights), bytearray(weights.read_bytes())
    assert before != hashlib.sha256(data).hexdigest()
    assert digest(weights) == before
    start = 8 + int.from_bytes(data[:8], "little")
    seen = []
    for name, tensor in header(weights).items():
        at = start + tensor["data_offsets"][0]
        changed = bytearray(data)
        changed[at] ^= 1
        weights.write_bytes(changed)
        assert digest(weights) != before, name
        seen.append(digest(weights))
    assert len(set(seen)) == 4
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert digest(weights) != before
