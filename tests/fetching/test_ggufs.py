"""The head of a GGUF file, against gguf's own reader, and against damage."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import gguf
import numpy as np
import pytest

from instructune.errors import Exit, UserError
from instructune.fetching.ggufs import is_gguf, read_head


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Größe")
    writer.add_context_length(512)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_bool("some.truth", True)
    writer.add_int8("some.small", -3)
    writer.add_uint64("some.large", 1 << 40)
    writer.add_float64("some.precise", 0.1)
    writer.add_token_list(["a", "Ġb", "", "日本"])
    writer.add_array("some.numbers", [1, 2, 3])
    rng = np.random.default_rng(0)
    writer.add_tensor("token_embd.weight", rng.random((4, 32), "float32"))
    quantized = gguf.quants.quantize(rng.random((2, 64), "float32"), gguf.GGMLQuantizationType.Q8_0)
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor("blk.0.attn_q.weight", quantized, raw_dtype=kind)
    writer.add_tensor("output_norm.weight", rng.random(32, "float32").astype("float16"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_it_agrees_with_the_reference_reader(sample: Path) -> None:
    head, reference = read_head(sample), gguf.GGUFReader(sample)
    expected = {
        name: field.contents()
        for name, field in reference.fields.items()
        if not name.startswith("GGUF.")
    }
    assert head.metadata == expected
    assert head.metadata["tokenizer.ggml.tokens"] == ["a", "Ġb", "", "日本"]
    assert {
        name: (tensor.kind, tensor.elements, tensor.offset, tensor.size)
        for name, tensor in head.tensors.items()
    } == {
        tensor.name: (tensor.tensor_type, tensor.n_elements, tensor.data_offset, tensor.n_bytes)
        for tensor in reference.tensors
    }


def test_it_is_told_by_its_first_bytes(sample: Path, tmp_path: Path) -> None:
    assert is_gguf(sample)
    (tmp_path / "other.gguf").write_bytes(b"PK\x03\x04")
    assert not is_gguf(tmp_path / "other.gguf")


def test_every_cut_is_noticed(sample: Path, tmp_path: Path) -> None:
    data = sample.read_bytes()
    path = tmp_path / "cut.gguf"
    for size in (*range(0, len(data), 7), len(data) - 32):
        path.write_bytes(data[:size])
        with pytest.raises(UserError) as caught:
            read_head(path)
        assert caught.value.code is Exit.BAD_DATA


def test_damage_is_a_user_error_or_nothing(sample: Path, tmp_path: Path) -> None:
    """Random bytes in the head: never another exception, never much memory or time."""
    data = bytearray(sample.read_bytes())
    head_size = read_head(sample).tensors["token_embd.weight"].offset
    path, rng = tmp_path / "damaged.gguf", random.Random(0)
    for _ in range(500):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(head_size)] = rng.choice((0, 1, 8, 9, 0x7F, 0x80, 0xFF))
        path.write_bytes(damaged)
        try:
            read_head(path)
        except UserError:
            continue


def built(*parts: bytes) -> bytes:
    return b"GGUF" + b"".join(parts)


HUGE = struct.pack("<Q", 1 << 60)
NAME = struct.pack("<Q", 1) + b"k"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"PK\x03\x04" * 9, "does not begin with GGUF"),
        (built(struct.pack("<IQQ", 1, 0, 0)), "version 1"),
        (built(struct.pack("<I", 3), HUGE, struct.pack("<Q", 0)), "more entries than bytes"),
        (built(struct.pack("<IQ", 3, 0), HUGE), "more entries than bytes"),
        (built(struct.pack("<IQQ", 3, 0, 1), HUGE, b"x" * 64), "bytes wanted"),
        (
            built(struct.pack("<IQQ", 3, 0, 1), NAME, struct.pack("<II", 9, 8), HUGE, b"x" * 64),
            "entries cannot lie in",
        ),
        (
            built(struct.pack("<IQQ", 3, 0, 1), NAME, struct.pack("<II", 9, 0), HUGE, b"x" * 64),
            "entries cannot lie in",
        ),
        (
            built(
                struct.pack("<IQQ", 3, 0, 1),
                NAME,
                struct.pack("<I", 9),
                struct.pack("<IQ", 9, 1) * 9,
                b"x" * 64,
            ),
            "unknown type 9",
        ),
        (
            built(
                struct.pack("<IQQ", 3, 1, 0),
                NAME,
                struct.pack("<I", 4),
                struct.pack("<Q", 1 << 60) * 4,
                struct.pack("<IQ", 0, 0),
                b"x" * 64,
            ),
            "ends behind the file's end",
        ),
    ],
    ids=[
        "empty",
        "zip",
        "version",
        "tensors",
        "pairs",
        "key",
        "strings",
        "bytes",
        "nesting",
        "tensor size",
    ],
)
def test_counts_are_checked_against_the_file(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "hostile.gguf"
    path.write_bytes(data)
    with pytest.raises(UserError, match=reason):
        read_head(path)
