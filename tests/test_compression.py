"""compression: what goes in comes out, and a cut file never passes for a whole one."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from instructune.compression import compressing, decompressed
from instructune.errors import UserError

PLAIN = b"".join(b'{"n":%d}\n' % n for n in range(60_000))
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"


def zstd(data: bytes, **options) -> bytes:
    return zstandard.ZstdCompressor(**options).compress(data)


def undone(data: bytes) -> bytes:
    return decompressed(io.BufferedReader(io.BytesIO(data)), "f").read()


GOOD = {
    "plain": (PLAIN, PLAIN),
    "nothing": (b"", b""),
    "one byte": (b"\x1f", b"\x1f"),
    "gzip": (gzip.compress(PLAIN), PLAIN),
    "gzip of nothing": (gzip.compress(b""), b""),
    "gzip, two members": (gzip.compress(PLAIN) + gzip.compress(b"x"), PLAIN + b"x"),
    "zstd": (zstd(PLAIN), PLAIN),
    "zstd with checksum": (zstd(PLAIN, write_checksum=True), PLAIN),
    "zstd of nothing": (zstd(b""), b""),
    "zstd, two frames": (zstd(PLAIN) + zstd(b"x"), PLAIN + b"x"),
    "zstd after a skippable frame": (SKIPPABLE + zstd(PLAIN), PLAIN),
    "zstd, frames mixed": (zstd(b"a") + SKIPPABLE + zstd(b"b") + SKIPPABLE, b"ab"),
}


@pytest.mark.parametrize(("stored", "plain"), GOOD.values(), ids=GOOD.keys())
def test_data_is_told_by_its_first_bytes(stored, plain):
    assert undone(stored) == plain


BAD = {
    "gzip, cut in the middle": gzip.compress(PLAIN)[:-2000],
    "gzip, checksum cut": gzip.compress(PLAIN)[:-1],
    "gzip, header only": gzip.compress(PLAIN)[:5],
    "gzip, bit flipped": bytes([*gzip.compress(PLAIN)[:-6], 255, *gzip.compress(PLAIN)[-5:]]),
    "gzip, then garbage": gzip.compress(PLAIN) + b"garbage",
    "gzip, second member cut": gzip.compress(PLAIN) * 2 + gzip.compress(PLAIN)[:-9],
    "zstd, cut in the middle": zstd(PLAIN)[:-2000],
    "zstd, last byte cut": zstd(PLAIN)[:-1],
    "zstd, checksum cut": zstd(PLAIN, write_checksum=True)[:-1],
    "zstd, header only": zstd(PLAIN)[:5],
    "zstd, then garbage": zstd(PLAIN) + b"garbage",
    "zstd, second frame cut": zstd(PLAIN) + zstd(PLAIN)[:-3],
    "zstd, checksum wrong": zstd(PLAIN, write_checksum=True)[:-1] + b"?",
    "zstd, skippable frame cut": zstd(PLAIN) + SKIPPABLE[:-1],
}


@pytest.mark.parametrize("stored", BAD.values(), ids=BAD.keys())
def test_broken_data_names_the_file(stored):
    with pytest.raises(UserError, match=r"broken (gzip|zstd) data \(") as caught:
        undone(stored)
    assert caught.value.where == "f"
    assert caught.value.code == 65


@given(st.data(), st.sampled_from(["gzip", "zstd"]))
def test_no_cut_goes_unnoticed(data, kind):
    plain = data.draw(st.binary(min_size=1, max_size=300)) * data.draw(st.integers(1, 2000))
    stored = gzip.compress(plain) if kind == "gzip" else zstd(plain)
    assert undone(stored) == plain
    cut = stored[: data.draw(st.integers(4, len(stored) - 1))]
    with pytest.raises(UserError):
        undone(cut)


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_unfolds_a_little_at_a_time(kind):
    if kind == "gzip":
        bomb = gzip.compress(bytes(1 << 20)) * 256
    else:
        bomb = zstd(bytes(64 << 20)) * 4
    tracemalloc.start()
    try:
        stream = decompressed(io.BufferedReader(io.BytesIO(bomb)), "f")
        total = 0
        while block := stream.read(1 << 20):
            total += len(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 256 << 20
    assert peak < 100 << 20


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.jsonl.zst"])
def test_written_bytes_come_back_and_are_the_same_every_time(name):
    def written() -> bytes:
        raw = io.BytesIO()
        with compressing(raw, name) as out:
            out.write(PLAIN)
        return raw.getvalue()

    assert undone(written()) == PLAIN
    assert written() == written()
    assert (written() == PLAIN) == (name == "x.jsonl")
