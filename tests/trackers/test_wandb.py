"""wandb: offline unless asked, one run however often ours is resumed."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from instructune import tracking
from instructune.trackers.wandb import Tracker
from tests.tracked import DOCUMENT, EVAL, LOGGED, STEP, fake, tracked

pytestmark = pytest.mark.usefixtures("environment")


class Run:
    def __init__(self) -> None:
        self.logged: list[Any] = []

    def log(self, values: dict[str, float], step: int) -> None:
        self.logged.append((step, values))

    def finish(self) -> None:
        self.logged.append("finished")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `wandb.init` was asked for, each with the run it gave."""
    found: list[dict[str, Any]] = []

    def init(**given: Any) -> Run:
        found.append(given | {"run": Run()})
        return found[-1]["run"]

    fake(monkeypatch, "wandb", init=init, Settings=SimpleNamespace)
    for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_NAME", "WANDB_ERROR_REPORTING"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_what_is_asked_and_logged(tmp_path, asked):
    run = tmp_path / "my-run"
    run.mkdir()
    tracking.check(["wandb"], run)
    for _ in range(2):
        tracker = Tracker(run, DOCUMENT)
        tracker.log(STEP)
        tracker.log(EVAL)
        tracker.close()
    first, again = asked
    assert first["run"].logged == [*LOGGED, "finished"]
    assert (first["project"], first["name"]) == ("instructune", "my-run")
    assert (first["mode"], first["resume"], first["dir"]) == ("offline", "allow", str(run))
    assert first["config"] == {"seed": 0, "schedule": "cosine", "resolved.steps": 8}
    assert vars(first["settings"]) == {"silent": True, "console": "off"}
    assert first["id"] == again["id"]
    assert len(first["id"]) == 16
    assert os.environ["WANDB_ERROR_REPORTING"] == "false"


def test_the_environment_says_otherwise(tmp_path, asked, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_PROJECT", "parcels")
    monkeypatch.setenv("WANDB_NAME", "first")
    tracking.check(["wandb"], tmp_path)
    Tracker(tmp_path, DOCUMENT)
    assert [asked[0][name] for name in ("mode", "project", "name")] == [
        "online",
        "parcels",
        "first",
    ]


@pytest.mark.slow
def test_the_real_library_writes_offline_runs(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    notes = tracked(tmp_path, "wandb")
    assert len(notes) == 1  # the resumption
    assert len(list(tmp_path.glob("run/wandb/offline-run-*/run-*.wandb"))) == 2
