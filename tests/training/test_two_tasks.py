"""Two tasks, one after the other: the first is forgotten, and what keeps it, told by `eval`."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from instructune.configs import EvalConfig, TrainConfig
from instructune.stages.eval import evaluate
from tests.objectives.asked import answers
from tests.tuning import train_run, write_rows

STEPS = {"old": 60, "new": 100}


def rows(task: str, count: int, seed: int) -> list[dict[str, Any]]:
    """Letters that tell yes from no: a, b and c, d of the old task; i, j and k, l of the new.

    Texts of the new task hold one of the old letters too, which tells nothing there.
    """
    rng = random.Random(seed)
    found = []
    for i in range(count):
        yes = i % 2 == 0
        letters = rng.choices("xyz", k=2 if task == "new" else 3)
        if task == "new":
            letters += [rng.choice("ij" if yes else "kl"), rng.choice("abcd")]
        else:
            letters.append(rng.choice("ab" if yes else "cd"))
        rng.shuffle(letters)
        row = {"id": f"{task}-{i}", "task": task, "text": " ".join(letters)}
        found.append(row | {"label": "yes" if yes else "no"})
    return found


class Tasks(NamedTuple):
    """A folder with both tasks' rows, and a run that learned the old one."""

    folder: Path
    asked: list[dict[str, Any]]

    def learn(self, task: str, run: str, **given: Any) -> None:
        """Train on the rows of a task."""
        settings: dict[str, Any] = {
            "objective": "classify",
            "batch_size": 16,
            "learning_rate": 1e-3,
        }
        data, output = (str(self.folder / f"{task}.jsonl"),), str(self.folder / run)
        steps = STEPS[task]
        train_run(
            self.folder, **(settings | {"data": data, "output": output, "steps": steps}), **given
        )

    def answer(self, run: str) -> str:
        """The predictions of a run, as a file."""
        found = answers(self.folder, self.asked, run, threads=1)
        return write_rows(self.folder / f"{run}-answers.jsonl", found)

    def fates(self, run: str) -> dict[str, dict[str, Any]]:
        """By task: what became of the answers that the first run gave."""
        found = evaluate(
            EvalConfig(
                self.answer(run),
                references=str(self.folder / "asked.jsonl"),
                baseline=str(self.folder / "first-answers.jsonl"),
                metric=("accuracy",),
                output=str(self.folder / "summary.jsonl"),
            )
        )
        return {fate["by"]["task"]: fate for fate in found.forgetting}


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Tasks:
    folder = tmp_path_factory.mktemp("tasks")
    for task in STEPS:
        write_rows(folder / f"{task}.jsonl", rows(task, 96, 1))
    asked = rows("old", 40, 2) + rows("new", 40, 3)
    write_rows(folder / "asked.jsonl", asked)
    found = Tasks(folder, asked)
    found.learn("old", "first", model="tiny-bert")
    found.answer("first")
    return found


KEPT: dict[str, dict[str, Any]] = {
    "replay": {"replay": ("old.jsonl:0.3",)},
    "ewc": {"retain": ("ewc:data=old.jsonl,weight=3000",)},
    "l2sp": {"retain": ("l2sp",)},
    "distill": {"retain": ("distill",)},
}


def test_it_is_forgotten(tasks: Tasks) -> None:
    tasks.learn("new", "plain", init_from=str(tasks.folder / "first"), model=TrainConfig.model)
    fates = tasks.fates("plain")
    assert fates["old"]["lost"] >= 15
    assert fates["new"]["gained"] >= 15
    assert fates["old"]["p"] < 0.001


@pytest.mark.parametrize("way", KEPT)
def test_it_is_kept(tasks: Tasks, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tasks.folder)
    tasks.learn("new", way, init_from="first", model=TrainConfig.model, **KEPT[way])
    fates = tasks.fates(way)
    assert fates["old"]["lost"] <= 8
    assert fates["new"]["gained"] > fates["new"]["lost"]


def test_an_adapter_a_task(tasks: Tasks) -> None:
    before = (tasks.folder / "first-answers.jsonl").read_bytes()
    adapter = {"model": str(tasks.folder / "first"), "method": "lora"}
    tasks.learn("new", "second", **adapter)
    tasks.learn("old", "third", model=str(tasks.folder / "second"), method="lora:rank=2")
    assert tasks.fates("second")["new"]["gained"] >= 15
    assert tasks.fates("third")["old"]["lost"] <= 2
    # the first task's weights are as they were, and each later one's a file of its own
    tasks.answer("first")
    assert (tasks.folder / "first-answers.jsonl").read_bytes() == before
    sizes = [p.stat().st_size for p in tasks.folder.glob("*/adapter/adapter_model.safetensors")]
    assert max(sizes) * 3 < (tasks.folder / "first/model/model.safetensors").stat().st_size
    assert json.loads((tasks.folder / "third/run.json").read_text())["base"].endswith("second")
