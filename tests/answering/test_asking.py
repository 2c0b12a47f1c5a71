"""asking: bounded tries, refusals told apart, and a key that nobody but the server sees."""

from __future__ import annotations

import socket
import threading

import pytest

from instructune.answering import asking
from instructune.answering.asking import Asker, Failed
from instructune.errors import Exit, UserError
from tests.serving import said, serving


class Patience(threading.Event):
    """Notes how long it was asked to wait, and does not wait."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        return False


@pytest.fixture
def ask(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def ask(answers, key="sk-secret"):
        """The answer to one question, the waits before it, and what the server saw."""
        left = list(answers)
        over = Patience()
        with serving(lambda body: left.pop(0)) as served:
            ask.served, ask.over = served, over
            return Asker(served.url + "/", key).ask("chat/completions", {"n": 1}, over)

    return ask


def test_a_question_and_its_answer(ask):
    assert ask([(200, {"ok": [1, "ä"]})]) == {"ok": [1, "ä"]}
    assert ask.served.paths == ["/v1/chat/completions"]
    assert ask.served.bodies == [{"n": 1}]
    assert ask.served.headers[0]["authorization"] == "Bearer sk-secret"
    assert ask.over.waits == []


def test_without_a_key_none_is_sent(ask):
    ask([(200, {})], key=None)
    assert "authorization" not in ask.served.headers[0]


def test_what_may_pass_is_tried_again_and_waited_for(ask):
    busy = (429, {"error": {"message": "slow down"}, "headers": {"Retry-After": "7"}})
    found = ask([busy, (503, b"<html>"), (0, {}), (500, {}), (200, {"ok": 1})])
    assert found == {"ok": 1}
    assert ask.over.waits == [7.0, 1.0, 2.0, 4.0]


def test_waits_are_bounded_whatever_the_server_asks(ask):
    busy = (429, {"headers": {"Retry-After": "86400"}})
    ask([busy, (200, {})])
    assert ask.over.waits == [asking.LONGEST_WAIT]


def test_tries_are_bounded(ask):
    with pytest.raises(Failed, match=r"^the server says 500: oh no, tried 5 times$"):
        ask([(500, {"error": {"message": "oh no"}})] * 9)
    assert len(ask.served.bodies) == asking.TRIES
    assert len(ask.over.waits) == asking.TRIES - 1


def test_a_bad_question_is_not_repeated(ask):
    with pytest.raises(Failed, match=r"^the server says 400: too long$"):
        ask([(400, {"error": {"message": "too  long"}})])
    assert len(ask.served.bodies) == 1


@pytest.mark.parametrize(
    ("status", "key", "code", "hint"),
    [
        (401, "sk-secret", Exit.PERMISSION, "is the key in OPENAI_API_KEY right?"),
        (403, None, Exit.PERMISSION, "set OPENAI_API_KEY"),
        (404, None, Exit.UNAVAILABLE, "--base-url ends in /v1"),
    ],
)
def test_what_no_other_question_would_mend_ends_it(ask, status, key, code, hint):
    with pytest.raises(UserError) as caught:
        ask([(status, {"error": "no: Bearer sk-secret"})], key=key)
    assert caught.value.code == code
    assert hint in caught.value.hint
    assert key is None or "sk-secret" not in str(caught.value)


def test_a_redirect_is_not_followed_and_the_key_stays(ask):
    with serving(lambda body: (200, {"stolen": 1})) as other:
        place = {"Location": f"{other.url}/chat/completions"}
        with pytest.raises(UserError, match="the server says 307"):
            ask([(307, {"headers": place})])
        assert other.paths == []


@pytest.mark.parametrize("body", [b"not json", b'{"a": NaN}', b"\xff"])
def test_an_answer_that_is_no_json_fails(ask, body):
    with pytest.raises(Failed, match="the server's answer is"):
        ask([(200, body)])


def test_nobody_at_the_address_is_unavailable(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    over = Patience()
    with pytest.raises(UserError, match=r"nobody answers \(connection refused\)") as caught:
        Asker(f"http://127.0.0.1:{port}/v1", None).ask("x", {}, over)
    assert caught.value.code == Exit.UNAVAILABLE
    assert over.waits == [0.5, 1.0, 2.0, 4.0]


def test_a_server_that_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(asking, "SECONDS", 0.05)
    monkeypatch.setattr(asking, "TRIES", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with pytest.raises(Failed, match=r"no answer within 0.05 s, tried 2 times"):
            Asker(url, None).ask("x", {}, Patience())


def test_no_try_begins_after_the_end(ask):
    over = threading.Event()
    over.set()
    with serving(lambda body: said("x")) as served:
        with pytest.raises(Failed):
            Asker(served.url, None).ask("x", {}, over)
        assert served.paths == []


def test_a_key_with_a_line_end_is_refused_without_being_shown():
    with pytest.raises(UserError) as caught:
        Asker("http://localhost/v1", "sk-1\n")
    assert "sk-1" not in str(caught.value)
