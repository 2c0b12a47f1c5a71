"""Progress: plain lines now and then, one live bar on a terminal, and never a byte on stdout."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from instructune.commands import progress as module
from instructune.commands.progress import progress

START = {"event": "start", "resolved": {"steps": 20}, "step": 0}


def step(number: int) -> dict[str, Any]:
    return {"event": "step", "step": number, "loss": 2.0, "tokens": 100}


def rows(done: int, of: int | None = None) -> dict[str, Any]:
    return {"event": "rows", "done": done, "of": of, "tokens_per_second": 1234.5}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_plain_lines_come_every_five_seconds(clock, capsys):
    with progress() as notify:
        for second in range(12):
            notify(rows(second))
            clock[0] += 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "5 answers  1,234 tokens/s\n10 answers  1,234 tokens/s\n"


def test_the_first_and_the_last_step_are_told_at_once(clock, capsys):
    with progress() as notify:
        notify(START)
        for number in range(1, 21):
            clock[0] += 1
            notify(step(number))
    assert capsys.readouterr().err.splitlines() == [
        "step 1/20  loss 2.0000  100 tokens/s  left 0:19",
        "step 6/20  loss 2.0000  100 tokens/s  left 0:14",
        "step 11/20  loss 2.0000  100 tokens/s  left 0:09",
        "step 16/20  loss 2.0000  100 tokens/s  left 0:04",
        "step 20/20  loss 2.0000  100 tokens/s  left 0:00",
    ]


def test_a_resumed_run_counts_its_own_steps(clock, capsys):
    with progress() as notify:
        notify(START | {"step": 10})
        clock[0] += 2
        notify(step(11))
    assert capsys.readouterr().err == "step 11/20  loss 2.0000  50 tokens/s  left 0:18\n"


def test_words_are_told_at_once_and_drive_no_terminal(clock, capsys):
    with progress() as notify:
        notify({"event": "note", "text": "converting \x1b[2J[red]x"})
        notify({"event": "eval", "step": 3, "eval_loss": 1.5, "best": True})
        notify({"event": "eval", "step": 4, "eval_loss": 1.6, "best": False})
    assert capsys.readouterr().err.splitlines() == [
        r"converting \x1b[2J[red]x",
        "step 3/0  eval loss 1.5000  (best)",
        "step 4/0  eval loss 1.6000",
    ]


def test_the_number_expected_is_told_where_it_is_known(clock, capsys):
    with progress() as notify:
        notify(rows(0, 8))
        clock[0] += 5
        notify(rows(3, 8))
    assert capsys.readouterr().err == "3/8 answers  1,234 tokens/s\n"


def test_work_beside_the_answers_is_told_too(clock, capsys):
    with progress() as notify:
        notify({"event": "part", "what": "texts scored", "done": 1, "of": None})
        clock[0] += 5
        notify({"event": "part", "what": "texts scored", "done": 1200, "of": None})
        notify({"event": "part", "what": "answers explained", "done": 1, "of": 9})
        clock[0] += 5
        notify({"event": "part", "what": "answers explained", "done": 2, "of": 9})
    assert capsys.readouterr().err == "1,200 texts scored\n2 of 9 answers explained\n"


def test_quiet_is_quiet(clock, capsys):
    with progress(quiet=True) as notify:
        for event in (START, step(1), rows(1), {"event": "note", "text": "x"}):
            notify(event)
    assert capsys.readouterr() == ("", "")


SCRIPT = """
from instructune.commands.progress import progress
with progress() as notify:
    notify({"event": "note", "text": "a \\x1b]0;title\\x07 note with [bold]brackets[/bold]"})
    for done in range(9):
        notify({"event": "rows", "done": done, "of": 8, "tokens_per_second": 50.0})
"""


def on_a_terminal(*command: str, **how: Any) -> tuple[bytes, bytes]:
    """Run a command with a terminal for stderr: what came out of stdout, and of the terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, **how) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # the terminal is gone with its last user
                break
            if not block:
                break
            seen += block
        assert process.stdout
        out = process.stdout.read()
    os.close(ours)
    assert process.returncode == 0, seen
    return out, seen


def test_a_terminal_has_one_live_bar():
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    root = Path(__file__).parents[2]
    out, seen = on_a_terminal(sys.executable, "-c", SCRIPT, env=environment, cwd=root)
    assert out == b""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert "a \\x1b]0;title\\x07 note with [bold]brackets[/bold]" in text
    assert "8/8 answers  50 tokens/s" in text
    assert "━" in text
    assert b"\x1b]0;" not in seen
    assert seen.count(b"note with") == 1


def test_no_terminal_has_no_bar():
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, cwd=root)
    assert done.stdout == b""
    assert done.stderr == b"a \\x1b]0;title\\x07 note with [bold]brackets[/bold]\n"
