"""JSON in, JSON out over HTTP: tried again a bounded number of times, the key never told."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from typing import Any

from instructune.errors import Exit, UserError, usage
from instructune.jsonl import loads

TRIES = 5
SECONDS = 300.0  # for one answer
FIRST_WAIT = 0.5  # seconds, twice as long after each try
LONGEST_WAIT = 60.0  # between two tries, whatever the server asks for
_LARGEST = 64 << 20  # bytes of an answer
_SHOWN = 300  # characters of what a server says
_AGAIN = frozenset([408, 409, 425, 429, 500, 502, 503, 504, 529])


class Failed(Exception):
    """One question has no answer; others may."""


class _Unreachable(Exception):
    """Nobody answers at the address."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **options: object) -> None:
        return None


class Asker:
    """Questions to one server, from any thread."""

    def __init__(self, url: str, key: str | None) -> None:
        if key and not (key.isascii() and key.isprintable()):
            raise usage("holds what no key holds, such as a line end", where="OPENAI_API_KEY")
        self.url, self._key = url.rstrip("/"), key
        self._opener = urllib.request.build_opener(_NoRedirect)

    def ask(self, path: str, body: dict[str, Any], over: threading.Event) -> Any:
        """What the server answers; Failed where it refuses this question or keeps failing.

        UserError where no question would fare better: nobody there, a wrong key, no such model.
        No try begins after `over` is set.
        """
        failed: Exception = Failed("stopped")
        for attempt in range(TRIES):
            if over.is_set():
                raise Failed("stopped")
            delay = min(FIRST_WAIT * 2**attempt, LONGEST_WAIT)
            try:
                return self._once(path, body)
            except urllib.error.HTTPError as error:
                failed = self._judged(error)
                delay = _asked_wait(error, delay)
            except TimeoutError:
                failed = Failed(f"no answer within {SECONDS:g} s")
            except urllib.error.URLError as error:
                failed = _told(error.reason)
            except (OSError, http.client.HTTPException) as error:
                failed = _told(error)
            if attempt + 1 < TRIES:
                over.wait(delay)
        if isinstance(failed, _Unreachable):
            hint = "is it running, and is --base-url right?"
            raise UserError(str(failed), where=self.url, hint=hint, code=Exit.UNAVAILABLE)
        raise Failed(f"{failed}, tried {TRIES} times")

    def _once(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json", "User-Agent": "instructune"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}", data, headers, method="POST")
        with self._opener.open(request, timeout=SECONDS) as response:
            answer = response.read(_LARGEST + 1)
        if len(answer) > _LARGEST:
            raise Failed(f"the server's answer is larger than {_LARGEST >> 20} MiB")
        try:
            return loads(answer.decode("utf-8"), answer)
        except ValueError as error:
            raise Failed(f"the server's answer is {error}") from None

    def _judged(self, error: urllib.error.HTTPError) -> Failed:
        """What is worth another try comes back; the rest is raised."""
        said = f"the server says {error.code}{self._words(error)}"
        if error.code in _AGAIN:
            return Failed(said)
        if error.code in (401, 403):
            hint = "set OPENAI_API_KEY" if not self._key else "is the key in OPENAI_API_KEY right?"
            raise UserError(said, where=self.url, hint=hint, code=Exit.PERMISSION) from None
        if error.code == 404 or 300 <= error.code < 400:
            hint = "--base-url ends in /v1 as a rule; -m is the name that the server knows"
            raise UserError(said, where=self.url, hint=hint, code=Exit.UNAVAILABLE) from None
        raise Failed(said) from None

    def _words(self, error: urllib.error.HTTPError) -> str:
        """The server's own words, without the key that it may repeat."""
        try:
            text = error.read(1 << 16).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return ""
        try:
            held = json.loads(text)
            held = held.get("error", held)
            text = str(held.get("message", text) if isinstance(held, dict) else held)
        except (ValueError, AttributeError, RecursionError):
            pass
        if self._key:
            text = text.replace(self._key, "…")
        words = " ".join(text.split())[:_SHOWN]
        return f": {words}" if words else ""


def _told(error: object) -> Exception:
    if isinstance(error, TimeoutError):
        return Failed(f"no answer within {SECONDS:g} s")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, ConnectionResetError | http.client.HTTPException):
        return Failed(f"the connection broke ({reason.lower()})")
    return _Unreachable(f"nobody answers ({reason.lower()})")


def _asked_wait(error: urllib.error.HTTPError, delay: float) -> float:
    """The server's wish, in seconds, within reason; `delay` where it has none."""
    asked = error.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_WAIT) if asked.isdecimal() else delay
