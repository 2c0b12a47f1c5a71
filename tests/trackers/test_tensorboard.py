"""tensorboard: real event files, each step once though the run was stopped and resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instructune.rundir import RunDir
from tests.tracked import EXPECTED, tracked

pytest.importorskip("tensorboard")


def test_the_files_hold_the_log(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tracked(tmp_path, "tensorboard")
    folder = tmp_path / "run/tensorboard"
    assert len(list(folder.iterdir())) == 2
    found = EventAccumulator(str(folder)).Reload()
    tags = {"loss", "eval_loss", "learning_rate", "grad_norm", "tokens", "epoch"}
    assert set(found.Tags()["scalars"]) == tags
    events = RunDir(tmp_path / "run").events()
    for tag, kind in (("loss", "step"), ("learning_rate", "step"), ("eval_loss", "eval")):
        logged = [(event["step"], event[tag]) for event in events if event["event"] == kind]
        assert [step for step, _ in logged] == [s for s, name in EXPECTED if name == kind]
        written = [(scalar.step, scalar.value) for scalar in found.Scalars(tag)]
        assert [step for step, _ in written] == [step for step, _ in logged]
        for (_, value), (_, wanted) in zip(written, logged, strict=True):
            assert value == pytest.approx(wanted, rel=1e-6)
    (text,) = found.Tensors("settings/text_summary")
    settings = json.loads(text.tensor_proto.string_val[0])
    assert settings["schedule"] == "cosine"
    assert settings["resolved.steps"] == 6
