"""trackio: a database in the run unless asked otherwise, one run by its name."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import pytest

from instructune import tracking
from instructune.trackers.trackio import Tracker
from tests.tracked import DOCUMENT, EVAL, LOGGED, STEP, fake
from tests.tuning import chats, write_rows

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []

    class Run:
        def log(self, values: dict[str, float], step: int) -> None:
            found.append((step, values))

    def init(**given: Any) -> Run:
        found.append(given)
        return Run()

    fake(monkeypatch, "trackio", init=init, finish=lambda: found.append("finished"))
    for name in ("TRACKIO_DIR", "TRACKIO_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_what_is_asked_and_logged(tmp_path, calls, monkeypatch):
    run = tmp_path / "my-run"
    run.mkdir()
    tracking.check(["trackio"], run)
    assert os.environ["TRACKIO_DIR"] == f"{run}/trackio"
    tracker = Tracker(run, DOCUMENT)
    tracker.log(STEP)
    tracker.log(EVAL)
    tracker.close()
    asked = calls[0]
    assert calls[1:] == [*LOGGED, "finished"]
    name = asked.pop("name")
    assert name.startswith("my-run-")
    assert len(name) == len("my-run-") + 6
    assert asked == {
        "project": "instructune",
        "resume": "allow",
        "config": {"seed": 0, "schedule": "cosine", "resolved.steps": 8},
        "embed": False,
        "auto_log_gpu": False,
        "auto_log_cpu": False,
    }
    monkeypatch.setenv("TRACKIO_PROJECT", "parcels")
    Tracker(run, DOCUMENT)
    assert (calls[-1]["project"], calls[-1]["name"]) == ("parcels", name)


@pytest.mark.slow
def test_the_real_library_has_each_event_once(tmp_path, tune):
    pytest.importorskip("trackio")
    write_rows(tmp_path / "data.jsonl", chats(8))
    given = ("-m", "tiny-llama", "-o", "run", "--batch-size", "2", "--track", "trackio")
    for steps in ("2", "4"):
        done = tune("train", "data.jsonl", *given, "--steps", steps)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(b"\n") == 1  # what it prints is not among our data
    (database,) = tmp_path.glob("run/trackio/*.db")
    with sqlite3.connect(database) as connection:
        steps = [row[0] for row in connection.execute("select step from metrics order by step")]
    assert steps == [1, 2, 3, 4]
