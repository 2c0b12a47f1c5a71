"""tracking: each event once, whatever happens; nothing that a tracker does harms the training."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from instructune import tracking
from instructune.errors import UserError
from instructune.trackers import trackers
from tests.tracked import EXPECTED, tracked
from tests.tuning import result_of

pytestmark = pytest.mark.usefixtures("environment")

SEEN: list[Any] = []


class Fake:
    fails_on: str | None = None

    def __init__(self, run_dir: Path, document: dict[str, Any]) -> None:
        print("chatter on stdout")
        SEEN.append(("open", run_dir.name, document["state"]))
        self._fail("open")

    def _fail(self, place: str) -> None:
        if self.fails_on == place:
            raise RuntimeError("the service\x1b[2J is down\nand more")

    def log(self, event: dict[str, Any]) -> None:
        print("chatter on stdout")
        SEEN.append((event["step"], event["event"]))
        self._fail(f"{event['event']} {event['step']}")

    def close(self) -> None:
        SEEN.append("close")
        self._fail("close")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    SEEN.clear()
    kind = type("Tracker", (Fake,), {})
    for name in ("wandb", "trackio"):
        plug_in = SimpleNamespace(Tracker=kind, LIBRARY="json", ENVIRONMENT={})
        monkeypatch.setitem(trackers._modules, name, plug_in)  # type: ignore[arg-type]
    return kind


def test_each_event_is_sent_once_though_the_run_was_stopped(tmp_path, fake, capsys):
    assert tracked(tmp_path, "wandb")[0]["text"].startswith("resumed from ")
    opened = ("open", "run", "running")
    assert [opened, *EXPECTED[:4], "close", opened, *EXPECTED[4:], "close"] == SEEN
    assert capsys.readouterr().out == ""


def test_steps_done_again_are_not_sent_again(tmp_path, fake):
    tracked(tmp_path, "wandb", interrupted=False)
    run = tmp_path / "run"
    # as if it had been killed after step 6 and had kept nothing but its log
    document = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(document | {"state": "running"}))
    shutil.rmtree(run / "checkpoints")
    tracked(tmp_path, "wandb", interrupted=False)
    assert [seen for seen in SEEN if seen in EXPECTED] == EXPECTED


def test_tracking_changes_no_byte_of_the_run(tmp_path, fake):
    folders = [tmp_path / name for name in ("with", "without")]
    for folder, names in zip(folders, [("wandb",), ()], strict=True):
        folder.mkdir()
        tracked(folder, *names)
    assert result_of(folders[0] / "run") == result_of(folders[1] / "run")
    texts = [(folder / "run/run.json").read_text() for folder in folders]
    assert texts[0] == texts[1]
    assert "track" not in json.loads(texts[0])["config"]


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        ("open", []),
        ("step 1", EXPECTED[:1]),
        ("eval 2", EXPECTED[:3]),
        ("close", [*EXPECTED, "close"]),
    ],
)
def test_a_tracker_that_fails_is_told_of_once_and_the_training_goes_on(
    tmp_path, fake, monkeypatch, place, seen
):
    monkeypatch.setattr(fake, "fails_on", place)
    notes = tracked(tmp_path, "wandb", interrupted=False)
    told = r"--track wandb failed (the service\x1b[2J is down); the training goes on without it"
    assert [note["text"] for note in notes] == [told]
    assert SEEN[1:] == seen
    assert json.loads((tmp_path / "run/run.json").read_text())["state"] == "finished"


def test_one_that_fails_leaves_the_others_alone(tmp_path, fake, monkeypatch):
    good = type("Good", (Fake,), {"fails_on": None})
    trackers._modules["trackio"].Tracker = good  # type: ignore[attr-defined]
    monkeypatch.setattr(fake, "fails_on", "step 1")
    tracked(tmp_path, "wandb", "trackio", interrupted=False)
    assert SEEN[2:4] == [(1, "step"), (1, "step")]
    assert SEEN[4:] == [*EXPECTED[1:], "close"]


def test_unknown_repeated_and_missing_trackers_are_refused_before_anything(tmp_path, monkeypatch):
    def refused(*names: str) -> UserError:
        with pytest.raises(UserError) as caught:
            tracked(tmp_path, *names, interrupted=False)
        assert not (tmp_path / "run").exists()
        return caught.value

    error = refused("wandbb")
    assert (str(error), error.code) == (
        "unknown tracker 'wandbb'\n  hint: did you mean 'wandb'?",
        2,
    )
    assert str(refused("wandb", "wandb")) == "--track wandb: is given twice"
    assert "takes no options" in str(refused("wandb:project=x"))
    for name in trackers.names():
        monkeypatch.setitem(sys.modules, trackers.facts(name)["LIBRARY"], None)
        error = refused(name)
        library = trackers.facts(name)["LIBRARY"]
        assert error.code == 69
        assert str(error) == (
            f"--track {name}: needs {library}, which is not installed\n"
            "  hint: pip install 'instructune[track]'"
        )


def test_where_a_tracker_writes_is_the_users_to_say(tmp_path, fake, monkeypatch):
    plug_in = trackers._modules["wandb"]
    monkeypatch.setattr(plug_in, "ENVIRONMENT", {"A_PLACE": "{run}/x", "B_PLACE": "b"})
    monkeypatch.setenv("B_PLACE", "mine")
    tracking.check(["wandb"], tmp_path)
    assert os.environ["A_PLACE"] == f"{tmp_path}/x"
    assert os.environ["B_PLACE"] == "mine"
