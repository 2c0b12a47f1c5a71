"""A small training that is tracked, and fakes of the trackers' libraries."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from instructune.stopping import Stopped
from tests.tuning import chats, stop_after, train_run, write_rows

DOCUMENT = {"config": {"seed": 0, "schedule": "cosine"}, "resolved": {"steps": 8}}
STEP = {"event": "step", "step": 1, "loss": 2.5, "grad_norm": 1.0, "tokens": 7, "epoch": 0.5}
EVAL = {"event": "eval", "step": 1, "eval_loss": 2.0, "best": True}
LOGGED = [
    (1, {"loss": 2.5, "grad_norm": 1.0, "tokens": 7.0, "epoch": 0.5}),
    (1, {"eval_loss": 2.0}),
]


def fake(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> types.ModuleType:
    """Put a module of these members in the place of a library."""
    module = types.ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)
    return module


def tracked(folder: Path, *names: str, interrupted: bool = True) -> list[dict[str, Any]]:
    """Train for six steps, `interrupted` after the third; the notes of what came after that."""
    write_rows(folder / "data.jsonl", chats(8))
    write_rows(folder / "eval.jsonl", chats(2, start=20))
    settings: dict[str, Any] = {"steps": 6, "batch_size": 2, "eval_every": 2, "track": names}
    settings["eval_data"] = str(folder / "eval.jsonl")
    notes: list[dict[str, Any]] = []
    if interrupted:
        with pytest.raises(Stopped):
            train_run(folder, stop_after(3), **settings)
    train_run(folder, notes.append, **settings)
    return [event for event in notes if event["event"] == "note"]


EXPECTED = [(1, "step"), (2, "step"), (2, "eval"), (3, "step"), (4, "step"), (4, "eval")]
EXPECTED += [(5, "step"), (6, "step"), (6, "eval")]
