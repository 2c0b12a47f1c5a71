"""Whether something answers, and how soon we know."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from instructune.fetching.network import unreachable


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class _Answering(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def answering() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("status", [200, 302, 401, 404, 405, 500, 503])
def test_any_answer_is_an_answer(answering: str, status: int) -> None:
    assert unreachable(f"{answering}/{status}") is None


def test_a_refused_connection_is_told(closed_port: int) -> None:
    assert unreachable(f"http://127.0.0.1:{closed_port}") == "connection refused"


def test_a_stalled_server_is_noticed_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stalled:
        started = time.monotonic()
        reason = unreachable(f"http://127.0.0.1:{stalled.getsockname()[1]}", seconds=0.3)
    assert reason in ("timed out", "no answer within 0.3 s")
    assert time.monotonic() - started < 1.0


def test_an_unknown_name_is_told() -> None:
    assert unreachable("http://nowhere.invalid") is not None


def test_a_folder_needs_no_network() -> None:
    assert unreachable("file:///srv/simple") is None


@pytest.mark.parametrize("given", [True, False], ids=["given", "environment"])
def test_proxies_are_asked(
    answering: str, closed_port: int, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    for proxy, expected in (
        (answering, None),
        (f"http://127.0.0.1:{closed_port}", "connection refused"),
    ):
        monkeypatch.setenv("http_proxy", "" if given else proxy)
        reason = unreachable("http://nowhere.invalid/200", proxy=proxy if given else None)
        assert reason == expected


def test_a_proxy_that_only_the_clients_know_is_left_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    assert unreachable("http://nowhere.invalid/") is None
