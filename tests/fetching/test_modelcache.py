"""Built once, whole or absent, rebuilt where damaged."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from instructune.errors import Exit, UserError
from instructune.fetching import modelcache

KEY = hashlib.sha256(b"a model").hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def builder(log: list[str]) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        log.append("built")
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"0123456789")

    return build


def test_the_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert modelcache.root().name == "cache"
    monkeypatch.delenv("INSTRUCTUNE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert modelcache.root() == Path("/xdg/instructune")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert modelcache.root() == Path("/home/ada/.cache/instructune")


def test_an_entry_is_built_once(cache: Path) -> None:
    log: list[str] = []
    assert modelcache.find(KEY) is None
    first = modelcache.entry(KEY, builder(log), log.append)
    assert modelcache.entry(KEY, builder(log), log.append) == first == modelcache.find(KEY)
    assert first == cache / "models" / KEY
    assert log == ["built"]
    assert sorted(p.name for p in (cache / "models").iterdir()) == [KEY]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "model.safetensors").write_bytes(b"012345678"),
        lambda folder: (folder / "config.json").unlink(),
        lambda folder: (folder / "contents.json").unlink(),
        lambda folder: (folder / "contents.json").write_text("{"),
        lambda folder: (folder / "contents.json").write_text('{"format": 0, "files": {}}'),
        lambda folder: (folder / "contents.json").write_text("[]"),
    ],
    ids=["cut", "missing", "no list", "cut list", "other format", "no object"],
)
def test_a_damaged_entry_is_rebuilt(damage: Callable[[Path], object]) -> None:
    log: list[str] = []
    folder = modelcache.entry(KEY, builder(log), log.append)
    damage(folder)
    assert modelcache.find(KEY) is None
    assert modelcache.entry(KEY, builder(log), log.append) == folder
    assert (folder / "model.safetensors").read_bytes() == b"0123456789"
    assert log == ["built", "built"]


def test_a_failed_build_leaves_nothing(cache: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        modelcache.entry(KEY, fail, print)
    assert modelcache.find(KEY) is None
    assert list((cache / "models").iterdir()) == []


@pytest.mark.parametrize("key", ["../../etc", "None", "", KEY.upper(), KEY + "0"])
def test_only_a_hash_names_a_folder(key: str) -> None:
    assert modelcache.find(key) is None


def test_a_second_builder_waits_for_the_first() -> None:
    """The first builds until the second has said that it waits."""
    log: list[str] = []
    building, waiting = threading.Event(), threading.Event()

    def slow(folder: Path) -> None:
        building.set()
        assert waiting.wait(20)
        builder(log)(folder)

    def told(text: str) -> None:
        log.append(text)
        waiting.set()

    first = threading.Thread(target=modelcache.entry, args=(KEY, slow, log.append))
    first.start()
    assert building.wait(20)
    folder = modelcache.entry(KEY, builder(log), told)
    first.join()
    assert log == ["waiting for another process that prepares the same model", "built"]
    assert (folder / "config.json").is_file()


def test_two_processes_at_once_both_succeed(cache: Path) -> None:
    script = (
        "from instructune.fetching.modelfiles import resolve; print(resolve('tiny-llama').folder)"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    folders = {run.communicate(timeout=60)[0] for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert len(folders) == 1
    assert (Path(folders.pop().strip()) / "tokenizer.json").is_file()


def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="file") as caught:
        modelcache.entry(KEY, builder([]), print)
    assert caught.value.code is Exit.CANNOT_CREATE
    assert "INSTRUCTUNE_CACHE" in str(caught.value.hint)


def test_a_full_disk_while_building_is_74() -> None:
    def fill(folder: Path) -> None:
        with open("/dev/full", "wb") as full:
            full.write(b"x")

    with pytest.raises(UserError, match="no space left") as caught:
        modelcache.entry(KEY, fill, print)
    assert caught.value.code is Exit.IO


def test_scratch_is_private_and_gone_at_the_end() -> None:
    with modelcache.scratch("x==1") as folder:
        left_by_a_kill = folder / "y"
        left_by_a_kill.mkdir()
    left_by_a_kill.mkdir(parents=True)
    with modelcache.scratch("x==1") as folder:
        assert list(folder.iterdir()) == []
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "x").write_text("x")
    assert not folder.exists()


def test_documents_are_kept_by_name(cache: Path) -> None:
    assert modelcache.recall("some==1") is None
    modelcache.remember("some==1", {"sha256": KEY})
    assert modelcache.recall("some==1") == {"sha256": KEY}
    (cache / "packages" / "some==1.json").write_text("{")
    assert modelcache.recall("some==1") is None
