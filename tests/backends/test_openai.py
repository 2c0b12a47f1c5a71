"""The openai backend against a server in this process: what is sent, what becomes of answers."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from instructune.answering import asking
from instructune.configs import GenerateConfig
from instructune.errors import Exit, UserError
from instructune.stages.generate import generate
from tests.generating import chat, read_rows, write_rows
from tests.serving import said, serving

ROWS = [chat(f"question {i}", id=f"r{i}") for i in range(5)]


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """Run `generate` against a server that answers by `how`; rows, report, what it saw."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setattr(asking, "FIRST_WAIT", 0.0)

    def answer(rows, how, **settings):
        write_rows(Path("in.jsonl"), rows)
        with serving(how) as served:
            answer.served = served
            given = {"data": ("in.jsonl",), "model": "m", "output": "out.jsonl"}
            given |= {"backend": "openai", "base_url": served.url} | settings
            report = generate(GenerateConfig(**given), lambda event: None)
        return read_rows("out.jsonl"), report, served

    return answer


def echo(body):
    return said(f"re: {body['messages'][-1]['content']}")


def test_rows_come_out_in_order_with_what_the_server_counted(answer):
    rows, report, served = answer(ROWS, echo, batch_size=3)
    assert [row["prediction"] for row in rows] == [f"re: question {i}" for i in range(5)]
    assert rows[0]["usage"] == {"prompt_tokens": 7, "completion_tokens": 3}
    assert rows[0]["finish_reason"] == "stop"
    assert rows[0]["model"] == "m@" + served.url.split("/")[2]
    assert (report["rows"], report["errors"], report["completion_tokens"]) == (5, 0, 15)
    assert set(served.paths) == {"/v1/chat/completions"}


def test_what_is_asked_is_what_was_set(answer):
    turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
    row = {"id": "a", "messages": [*turns, {"role": "assistant", "content": "the reference"}]}
    row["tools"] = [{"type": "function", "function": {"name": "f"}}]
    _, _, served = answer(
        [row], echo, temperature=0.5, top_p=0.9, stop=("END",), max_new_tokens=9, samples=2, seed=4
    )
    one, two = sorted(served.bodies, key=lambda body: body["seed"])
    assert one.pop("seed") != two.pop("seed")
    assert one == two
    assert one == {
        "model": "m",
        "messages": turns,
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "tools": row["tools"],
    }


def test_the_defaults_ask_for_no_more_than_they_need(answer):
    _, _, served = answer(ROWS[:1], echo)
    assert sorted(served.bodies[0]) == ["max_tokens", "messages", "model", "seed", "temperature"]


def test_seeds_are_a_row_s_own_and_stay(answer):
    _, _, first = answer(ROWS, echo)
    _, _, again = answer(ROWS, echo, output="again.jsonl", batch_size=1)
    _, _, other = answer(ROWS, echo, output="other.jsonl", seed=1)
    seeds = [
        {body["messages"][0]["content"]: body["seed"] for body in served.bodies}
        for served in (first, again, other)
    ]
    assert seeds[0] == seeds[1]
    assert len(set(seeds[0].values())) == 5
    assert not set(seeds[0].values()) & set(seeds[2].values())
    assert all(0 <= seed < 2**31 for seed in seeds[0].values())


@pytest.mark.parametrize(
    ("reply", "finish_reason", "prediction", "error"),
    [
        (said("cut", "length"), "length", "cut", None),
        (said(None, "content_filter"), "filtered", "", None),
        (said(None), "error", None, "the server ended the answer by 'stop'"),
        (said("x", "whatever"), "error", None, "the server ended the answer by 'whatever'"),
        (said(None, "tool_calls"), "error", None, "the model called a tool instead"),
        ((200, {"choices": []}), "error", None, "not a chat completion"),
        ((200, [1]), "error", None, "not a chat completion"),
        ((400, {"error": {"message": "too long"}}), "error", None, "the server says 400: too long"),
        ((500, {}), "error", None, "the server says 500: {}, tried 5 times"),
    ],
)
def test_each_row_fails_by_itself(answer, reply, finish_reason, prediction, error):
    def how(body):
        return reply if body["messages"][-1]["content"] == "question 1" else echo(body)

    rows, report, _ = answer(ROWS, how)
    assert (rows[1]["finish_reason"], rows[1]["prediction"]) == (finish_reason, prediction)
    assert (error or "") in rows[1].get("error", "")
    assert ("error" in rows[1]) == (error is not None) == bool(report["errors"])
    assert [row["prediction"] for row in rows[2:]] == [f"re: question {i}" for i in (2, 3, 4)]


def test_plain_text_is_no_chat(answer):
    rows, _, _ = answer([{"id": "t", "text": "go on"}, *ROWS], echo)
    assert rows[0]["error"] == "has no messages, and a chat is all that the server takes"


def test_log_probabilities_come_along(answer):
    held = {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1}]}
    rows, _, served = answer(ROWS[:1], lambda body: said("ab", logprobs=held), logprobs=True)
    assert served.bodies[0]["logprobs"] is True
    assert rows[0]["token_logprobs"] == [["a", -0.5], ["b", -1.0]]


def test_a_server_without_log_probabilities_says_so(answer):
    with pytest.raises(UserError, match="the server gives no log-probabilities"):
        answer(ROWS[:1], echo, logprobs=True)


def test_as_many_at_once_as_the_batch_and_no_more(answer):
    gate, lock, most = threading.Barrier(3, timeout=20), threading.Lock(), [0, 0]

    def how(body):
        with lock:
            most[0] += 1
            most[1] = max(most)
        gate.wait()  # opens only if three are here together
        with lock:
            most[0] -= 1
        return echo(body)

    answer([chat(f"q{i}", id=f"r{i}") for i in range(6)], how, batch_size=3)
    assert most[1] == 3


def test_the_key_is_in_no_file(answer):
    answer(ROWS, echo)
    assert answer.served.headers[0]["authorization"] == "Bearer sk-secret"
    for path in Path().iterdir():
        assert b"sk-secret" not in path.read_bytes()


def test_a_run_that_failed_goes_on_by_windows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    write_rows(Path("in.jsonl"), ROWS)
    refuse = True

    def how(body):
        bad = refuse and body["messages"][-1]["content"] == "question 3"
        return (401, {"error": "no"}) if bad else echo(body)

    with serving(how) as served:
        config = GenerateConfig(
            data=("in.jsonl",),
            model="m",
            output="out.jsonl",
            backend="openai",
            base_url=served.url,
            window=2,
        )
        with pytest.raises(UserError) as caught:
            generate(config, lambda event: None)
        assert caught.value.code == Exit.PERMISSION
        assert len(read_rows("out.jsonl.partial")) == 2
        refuse = False
        del served.bodies[:]
        report = generate(config, lambda event: None)
        assert report["kept"] == 2
        asked = {body["messages"][-1]["content"] for body in served.bodies}
        assert asked == {"question 2", "question 3", "question 4"}
    assert [row["id"] for row in read_rows("out.jsonl")] == [f"r{i}" for i in range(5)]
    manifest = json.loads(Path("out.jsonl.manifest.json").read_bytes())
    assert manifest["model"] == "m@" + served.url.split("/")[2]


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"base_url": None}, "--backend openai"),
        ({"base_url": "localhost:8000"}, "--base-url"),
        ({"base_url": "http://u:p@h/v1"}, "--base-url"),
        ({"base_url": "https://h/v1?key=1"}, "--base-url"),
        ({"score_references": True}, "--score-references"),
        ({"label_scores": "a,b"}, "--label-scores"),
        ({"top_k": 3}, "--top-k"),
        ({"max_length": 9}, "--max-length"),
        ({"template": "chatml"}, "--template"),
        ({"dtype": "float32"}, "--dtype"),
        ({"device": "cpu"}, "--device"),
        ({"threads": 1}, "--threads"),
        ({"max_new_tokens": 0, "score_references": True}, "--score-references"),
        ({"backend": "transformers", "model": "tiny-llama"}, "--base-url"),
    ],
)
def test_what_cannot_be_served_is_refused(answer, settings, where):
    with pytest.raises(UserError) as caught:
        answer(ROWS, echo, **settings)
    assert (caught.value.code, caught.value.where) == (Exit.USAGE, where)
    assert answer.served.paths == []
