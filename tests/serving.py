"""A server of chat completions on this machine that says what a test wants it to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]  # status and body; bytes are sent as they are


def said(text: str | None, reason: str = "stop", **more: Any) -> Answer:
    """A chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}} | more
    counts = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return 200, {"choices": [choice | {"finish_reason": reason}], "usage": counts}


class Served:
    """The address, and the requests that came: path, headers, body."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[dict[str, Any]] = []


@contextmanager
def serving(answer: Callable[[dict[str, Any]], Answer]) -> Iterator[Served]:
    """Serve `answer(body)` on a free port."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            body = json.loads(data)
            with lock:
                served.paths.append(self.path)
                served.headers.append({k.lower(): v for k, v in self.headers.items()})
                served.bodies.append(body)
            status, found = answer(body)
            if status == 0:  # the connection breaks
                self.close_connection = True
                return
            extra = found.pop("headers", {}) if isinstance(found, dict) else {}
            sent = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(sent))} | extra).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = Served(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
