"""retaining: what of a model is worth keeping, by what was there before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from instructune.errors import Exit, UserError
from instructune.stopping import Stopped
from instructune.training.retaining import Retention
from tests.tuning import fit_of, result_of, stop_after, train_run, write_rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run that tells two labels apart, and rows of others."""
    labelled(tmp_path, "data", "xy")
    train_run(tmp_path, model="tiny-bert", objective="classify", steps=1)
    return tmp_path


def labelled(folder: Path, name: str, labels: str) -> str:
    rows = [
        {"id": str(i), "text": "ab" * (i + 1), "label": labels[i % len(labels)]} for i in range(6)
    ]
    return write_rows(folder / f"{name}.jsonl", rows)


def fitted(folder: Path, labels: str, spec: str = "l2sp", **given: Any) -> Any:
    data = (labelled(folder, "new", labels),)
    given = {"model": str(folder / "run"), "objective": "classify", "retain": (spec,)} | given
    return fit_of(folder, data=data, output=str(folder / "next"), **given)


def test_by_itself_it_only_coaches() -> None:
    assert not Retention.pulls
    with pytest.raises(NotImplementedError):
        Retention().pull(torch.zeros(1, 1), None)  # type: ignore[arg-type]


def test_with_the_same_labels_all_is_kept(folder: Path) -> None:
    fit = fitted(folder, "xy")
    held = fit.coaches.named["retain.l2sp"]
    assert list(held.places) == fit.optimizer.names


def test_a_head_that_is_drawn_anew_is_not(folder: Path) -> None:
    for method in ("full", "lora:rank=2"):
        fit = fitted(folder, "pq", objective="classify:labels=" + file_of(folder), method=method)
        held = fit.coaches.named["retain.l2sp"]
        lost = set(fit.optimizer.names) - set(held.places)
        assert {name.rpartition("classifier.")[2] for name in lost} == {
            "weight" if method == "full" else "modules_to_save.default.weight",
            "bias" if method == "full" else "modules_to_save.default.bias",
        }


def file_of(folder: Path) -> str:
    """Labels without those before."""
    path = folder / "labels.txt"
    path.write_text("p\nq\n")
    return str(path)


def test_old_outputs_of_a_head_that_grew(folder: Path) -> None:
    fit = fitted(folder, "xyz", "distill")
    assert fit.coaches.named["retain.distill"].classes == 2
    assert fitted(folder, "xy", "distill").coaches.named["retain.distill"].classes is None
    with pytest.raises(UserError, match="the head is drawn anew"):
        fitted(folder, "pq", "distill", objective="classify:labels=" + file_of(folder))


def test_random_weights_are_nothing_to_keep(folder: Path) -> None:
    with pytest.raises(UserError, match="there is nothing to keep") as raised:
        fitted(folder, "xy", model="tiny-bert")
    assert raised.value.code == Exit.MISMATCH


@pytest.mark.parametrize("spec", ["l2sp:weight=1", "ewc:data={new},rows=4", "distill"])
def test_a_stopped_run_ends_as_one_that_was_not(folder: Path, spec: str) -> None:
    """What is held stays what training began with, not what it was resumed with."""
    new = labelled(folder, "new", "yx")
    given: dict[str, Any] = {
        "data": (new,),
        "model": str(folder / "run"),
        "objective": "classify",
        "retain": (spec.format(new=new),),
        "steps": 4,
        "learning_rate": 0.01,
        "dropout": 0.2,
    }
    train_run(folder, output=str(folder / "straight"), **given)
    with pytest.raises(Stopped):
        train_run(folder, stop_after(2), output=str(folder / "stopped"), **given)
    train_run(folder, output=str(folder / "stopped"), **given)
    assert result_of(folder / "stopped") == result_of(folder / "straight")
