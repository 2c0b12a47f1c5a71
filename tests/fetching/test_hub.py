"""The Hub, as far as we talk to it: a small server stands in for it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import huggingface_hub.constants as constants
import numpy as np
import pytest
from safetensors.numpy import save

from instructune.errors import Exit, UserError
from instructune.fetching.hub import is_id
from instructune.fetching.modelfiles import resolve

COMMITS = {"main": "a" * 40, "v2": "b" * 40}
WEIGHTS = save({"a": np.zeros(4, "float32")})
FILES = {
    "README.md": b"# a model",
    "config.json": b'{"model_type": "llama"}',
    "model.safetensors": WEIGHTS,
    "consolidated.safetensors": WEIGHTS,
    "pytorch_model.bin": b"\x80\x04.",
    "modeling_evil.py": b"boom()",
    "onnx/model.safetensors": WEIGHTS,
    "model-int8/all.safetensors": WEIGHTS,
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}",
    "tokenizer.model": b"sentencepiece",
}
WANTED = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]


class _Hub(BaseHTTPRequestHandler):
    """Model info, file tree and files of `ada/tiny`; other names answer with their own status."""

    protocol_version = "HTTP/1.1"
    log: list[str]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self.log.append(f"{self.command} {path}")
        if "error" in path:
            status, code = {"missing": (404, "RepoNotFound"), "gated": (403, "GatedRepo")}[
                path.split("error-")[1].split("/")[0]
            ]
            self.answer(status, b"{}", {"X-Error-Code": code})
        elif path == "/":
            self.answer(200, b"")
        elif path.startswith("/api/models/ada/tiny/tree/"):
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": _etag(data)}
                for name, data in FILES.items()
            ]
            self.answer(200, json.dumps(tree).encode())
        elif path.startswith("/api/models/ada/tiny"):
            revision = path.rpartition("/revision/")[2] if "/revision/" in path else "main"
            if revision not in COMMITS:
                self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
                return
            siblings = [{"rfilename": name} for name in FILES]
            info = {"id": "ada/tiny", "sha": COMMITS[revision], "siblings": siblings}
            self.answer(200, json.dumps(info).encode())
        else:
            commit, _, name = path.removeprefix("/ada/tiny/resolve/").partition("/")
            data = FILES[name]
            headers = {"ETag": f'"{_etag(data)}"', "X-Repo-Commit": commit}
            self.answer(200, data, headers)

    def answer(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


def _etag(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty Hub cache, no proxy, no token; what the library read when imported is set anew."""
    for name in ("http_proxy", "HTTP_PROXY", "HF_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    handler = type("Handler", (_Hub,), {"log": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    yield server
    server.shutdown()
    server.server_close()


def asked(hub: ThreadingHTTPServer) -> list[str]:
    return hub.RequestHandlerClass.log  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "spec", ["gpt2", "ada/tiny", "Qwen/Qwen2.5-0.5B-Instruct", "ada/tiny@v2", "a/b@refs/pr/1"]
)
def test_ids(spec: str) -> None:
    assert is_id(spec)


@pytest.mark.parametrize(
    "spec",
    ["./tiny", "../x", "/x", "a/b/c", "a--b", "a..b", "m.gguf", "a/m.gguf", "data.jsonl", "a b",
     "", "a/", "-x", "http://x/y", "é", "a" * 200],
)  # fmt: skip
def test_not_ids(spec: str) -> None:
    assert not is_id(spec)


def test_only_what_is_read_is_fetched_and_once(
    hub: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    model = resolve("ada/tiny", told.append)
    assert sorted(p.name for p in model.folder.iterdir()) == WANTED
    assert (model.folder / "model.safetensors").read_bytes() == WEIGHTS
    assert told == [f"downloading ada/tiny from 127.0.0.1:{hub.server_port}"]
    assert model.name == "ada/tiny"
    assert not model.random
    gets = {line.rpartition("/")[2] for line in asked(hub) if "resolve" in line}
    assert gets == set(WANTED)
    assert not any("telemetry" in line or "harness" in line for line in asked(hub))

    asked(hub).clear()
    assert resolve("ada/tiny") == model
    assert asked(hub) == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert resolve("ada/tiny") == model
    assert capfd.readouterr() == ("", "")


def test_a_revision_is_a_snapshot_of_its_own(hub: ThreadingHTTPServer) -> None:
    assert resolve("ada/tiny@v2").folder.name == "b" * 40
    assert resolve("ada/tiny").folder.name == "a" * 40


def test_an_interrupted_download_is_completed(hub: ThreadingHTTPServer) -> None:
    folder = resolve("ada/tiny").folder
    (folder / "tokenizer.json").unlink()
    assert (resolve("ada/tiny").folder / "tokenizer.json").is_file()


def test_a_snapshot_without_tokenizer_does_where_the_hub_is_away(
    hub: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = resolve("ada/tiny").folder
    (folder / "tokenizer.json").unlink()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert resolve("ada/tiny").folder == folder


@pytest.mark.parametrize(
    ("spec", "code", "reason"),
    [
        ("ada/tiny@nowhere", Exit.NO_INPUT, "no such revision"),
        ("ada/error-missing", Exit.NO_INPUT, "no such preset, path, or model"),
        ("ada/error-gated", Exit.PERMISSION, "is gated"),
    ],
)
def test_refusals_keep_their_codes(
    hub: ThreadingHTTPServer, spec: str, code: Exit, reason: str
) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        resolve(spec)
    assert caught.value.code is code
    assert caught.value.where == spec


def test_a_refused_connection_is_69_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(UserError, match=r"127\.0\.0\.1:1 cannot be reached") as caught:
        resolve("ada/tiny")
    assert caught.value.code is Exit.UNAVAILABLE
    assert time.monotonic() - started < 2


def test_a_stalled_hub_is_69_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stalled:
        endpoint = f"http://127.0.0.1:{stalled.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        started = time.monotonic()
        with pytest.raises(UserError, match="cannot be reached") as caught:
            resolve("gpt2")
        assert time.monotonic() - started < 4
    assert caught.value.code is Exit.UNAVAILABLE
    assert endpoint in caught.value.reason


def test_offline_means_no_question_is_asked(
    hub: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set") as caught:
        resolve("ada/tiny")
    assert caught.value.code is Exit.UNAVAILABLE
    assert asked(hub) == []


def test_the_environment_of_the_library_holds(hub: ThreadingHTTPServer, tmp_path: Path) -> None:
    script = (
        "from instructune.fetching.modelfiles import resolve; print(resolve('ada/tiny').folder)"
    )
    environment = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "HF_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert Path(done.stdout.strip()).is_relative_to(tmp_path / "home" / "hub")


def test_the_library_is_left_as_it_was(
    hub: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    resolve("ada/tiny")
    assert constants.HF_HUB_DISABLE_TELEMETRY is False
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "0"
