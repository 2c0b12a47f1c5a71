"""`instructune eval --judge` as people, pipes and killers see it."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.generating import chat, read_rows
from tests.judged import choice
from tests.serving import said, serving

ROWS = [chat(f"question {i}", id=f"r{i}") | {"prediction": f"good {i}"} for i in range(3)]
BASE = [{"id": row["id"], "prediction": f"bad {i}"} for i, row in enumerate(ROWS)]
HUMAN = ("--judge", "human", "--rater", "ann", "-o", "c.jsonl")
PAIR = ("a.jsonl", "--baseline", "b.jsonl")


@pytest.fixture
def files(tmp_path, monkeypatch, write):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    write("a.jsonl", ROWS)
    write("b.jsonl", BASE)
    return tmp_path


@pytest.fixture
def run(files):
    """Run the command line here; its exit code and standard error."""

    def run(*args, typed=None):
        from instructune.cli import app

        result = CliRunner().invoke(app, list(args), input=typed, prog_name="instructune")
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stderr

    return run


def test_a_session_by_lines(run):
    code, err = run("eval", *PAIR, *HUMAN, typed="a\nwhat\nTIE\n")
    assert code == 0
    assert err.count("better: a | b | t(ie) | s(kip) | q(uit)? ") == 4
    assert err.splitlines()[:2] == ["", "== 1 of 3"]
    assert "== 3 of 3" in err
    assert err.endswith("2 of 3 pairs chosen -> c.jsonl; the same command goes on from there\n")
    assert "jsonl" not in err.rpartition("better")[0]
    code, err = run("eval", *PAIR, *HUMAN, typed="b\n")
    assert err.endswith("3 of 3 pairs chosen -> c.jsonl\n")
    assert [row["choice"] for row in read_rows("c.jsonl")].count("tie") == 1


def test_the_report_is_json_where_asked(run):
    _, err = run("eval", *PAIR, *HUMAN, "--json", typed="skip\nquit\n")
    assert json.loads(err.splitlines()[-1]) == {"chosen": 0, "of": 3, "skipped": 1}


def test_hostile_text_neither_drives_the_terminal_nor_plays_the_frame(run, write):
    evil = "x\x1b]0;owned\x07\x1b[2J\u202e\r\n== 2 of 3\n B | forged\nbetter: a"
    write("a.jsonl", [ROWS[0] | {"prediction": evil}])
    write("b.jsonl", BASE[:1])
    _, err = run("eval", *PAIR, *HUMAN, typed="q\n")
    assert not set(err) & set("\x1b\x07\r\u202e")
    assert "x\\x1b]0;owned\\x07\\x1b[2J\\u202e\\r" in err
    lines = err.splitlines()
    assert [line for line in lines if line.startswith("== ")] == ["== 1 of 1"]
    side = next(line[1] for line in lines if "owned" in line)
    assert f" {side} |  B | forged" in lines
    assert f" {side} | better: a" in lines


def at_a_terminal(folder, *args):
    """The command with a terminal as standard input and error, and the terminal's other end."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "instructune", *args],
        cwd=folder,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    os.close(inner)
    return process, outer


def press(process, outer, key, until):
    """Press a key now and then until `until` is shown or all is over; what was shown.

    Once is not enough: what is typed before it is waited for is lost.
    """
    shown = b""
    for _ in range(100):
        if until in shown or process.poll() is not None:
            break
        os.write(outer, key)
        while select.select([outer], [], [], 0.3)[0]:
            try:
                shown += os.read(outer, 4096)
            except OSError:  # the other end is closed
                break
    return shown


def test_single_keys_on_a_terminal_and_ctrl_c(files):
    process, outer = at_a_terminal(files, "eval", *PAIR, *HUMAN)
    try:
        shown = press(process, outer, b"a", b"2 of 3")
        shown += press(process, outer, b"\x03", b"goes on from there")
        process.wait(timeout=20)
    finally:
        process.kill()
        os.close(outer)
    assert process.returncode in (-signal.SIGINT, 130)
    kept = len(read_rows("c.jsonl"))
    assert kept >= 1
    told = f"c.jsonl: {kept} of 3 choices are kept; the same command goes on from there"
    assert told in shown.decode()


def test_prompts_and_verdicts_through_a_server_and_back(run, files):
    """ask, generate, read: each a command, files between them."""
    assert run("eval", *PAIR, "--judge", "ask", "-o", "p.jsonl") == (
        0,
        "6 prompts about 3 rows -> p.jsonl; next: generate p.jsonl -m JUDGE\n",
    )

    def judge(body):
        text = body["messages"][0]["content"]
        first = text.index("good") < text.index("bad")
        return said(f"The good one.\nVerdict: {'A' if first else 'B'}")

    with serving(judge) as served:
        how = ("-m", "judge", "--backend", "openai", "--base-url", served.url)
        code, _ = run("generate", "p.jsonl", *how, "-o", "v.jsonl")
    assert code == 0
    code, err = run("eval", *PAIR, "--judge", "v.jsonl", "-o", "s.jsonl", "--fail-if=win_rate > 0")
    assert code == 3
    lines = err.splitlines()
    assert lines[0] == "3 of 3 predictions scored, errors: 0; metrics chosen by --judge"
    assert lines[1] == "  v.jsonl: 3 judged"
    assert lines[3].split()[:2] == ["win_rate", "1.000"]
    assert [line.split()[0] for line in lines[4:6]] == ["judge_consistency", "judge_first_chosen"]
    assert [line.split()[1] for line in lines[4:6]] == ["1.000", "0.500"]
    assert lines[-1] == "gate: win_rate > 0 is true: 1"


@pytest.mark.parametrize("how", [(), ("--criteria", "default")], ids=["compare", "score"])
def test_a_model_that_cannot_judge_gives_no_score(run, files, how):
    """The whole pipe on random weights: each verdict is counted as unusable."""
    run("eval", *PAIR, "--judge", "ask", *how, "-o", "p.jsonl")
    code, _ = run(
        *("generate", "p.jsonl", "-m", "tiny-llama", "-o", "v.jsonl", "--max-new-tokens", "4"),
        *("--threads", "1", "--dtype", "float32"),
    )
    assert code == 0
    code, err = run("eval", *PAIR, "--judge", "v.jsonl", "-o", "s.jsonl")
    assert code == 65
    assert "error: none of 6 verdicts is usable, first v.jsonl:1: no verdict in" in err
    assert not Path("s.jsonl").exists()


def test_ratings_need_no_predictions(run, write):
    for one, other in ("ab", "bc"):
        rows = [choice(f"r{i}", "tie", systems=[one, other]) for i in range(5)]
        write(f"{one}{other}.jsonl", rows)
    code, err = run("eval", "--judge", "ab.jsonl", "--judge", "bc.jsonl", "-o", "s.jsonl")
    assert code == 0
    lines = err.splitlines()
    assert [line.split()[:3] for line in lines[3:6]] == [
        ["rating", f"system={name}", "1000.000"] for name in "abc"
    ]
    assert [row["metric"] for row in read_rows("s.jsonl")] == ["rating"] * 3 + ["win_rate"] * 2


def test_a_pipe_of_predictions_may_be_asked_about(files, tune):
    done = tune("eval", "--judge", "ask", input=Path("a.jsonl").read_bytes())
    assert done.returncode == 0
    assert [json.loads(line)["judged"]["of"] for line in done.stdout.splitlines()] == ["system"] * 3
