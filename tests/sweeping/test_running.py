"""running: trials dealt, pruned, failed and gone on with, on workers that only do sums."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from instructune.configs import SweepConfig
from instructune.errors import UserError
from instructune.sweeping.asked import Asked
from instructune.sweeping.running import Rules, Runner, run_alone
from instructune.sweeping.space import Parameter, Space
from instructune.sweeping.trials import Trial, Trials

SPACE = Space({}, (Parameter("learning_rate", low=1e-5, high=1e-1, log=True),))
GRID = Space({}, (Parameter("seed", tuple(range(6))),))


def loss(params: dict[str, Any], step: int) -> float:
    if "seed" in params:
        return [3.0, 2.0, 5.0, 1.0, 4.0, 2.5][params["seed"]] + 1 / step
    return abs(math.log10(params["learning_rate"]) + 3) + 1 / step


class Killed(BaseException):
    pass


class Sums:
    """A worker whose trainings are sums: evaluated at steps 2, 4 and 8, which is the last."""

    def __init__(self, pool: Here) -> None:
        self.pool, self.heard = pool, [True]
        self.work: Iterator[dict[str, Any]] = iter(())

    def send(self, what: dict[str, Any]) -> None:
        if "go" in what:
            self.heard.append(what["go"])
        else:
            self.work = self._train(what)

    def _train(self, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        self.pool.jobs.append(job["id"])
        params = job["params"]
        if failure := self.pool.failures.get(params.get("seed")):
            yield {"event": "end", "state": "failed", "where": None, "hint": None} | failure
            yield {"event": "over", "status": 0}
            return
        for step in (2, 4, 8):
            yield {"event": "eval", "step": step, "eval_loss": loss(params, step)}
            if not self.heard[-1]:
                yield {"event": "end", "state": "stopped"}
                break
        else:
            evaluations = [[step, loss(params, step)] for step in (2, 4, 8)]
            value = {"value": loss(params, 8), "steps": 8, "evaluations": evaluations}
            yield {"event": "end", "state": "complete"} | value
        yield {"event": "over", "status": 0}


class Here:
    """A pool of such workers; `killed_at` an event, which is lost."""

    def __init__(self, count: int = 1, killed_at: int | None = None, **failures: Any) -> None:
        self.workers, self.jobs = [Sums(self) for _ in range(count)], []
        self.failures = {int(name[1:]): failure for name, failure in failures.items()}
        self.killed_at, self.events = killed_at, 0

    def listen(self) -> list[tuple[Sums, dict[str, Any]]]:
        found = []
        for worker in self.workers:
            if event := next(worker.work, None):
                self.events += 1
                if self.events == self.killed_at:
                    raise Killed
                found.append((worker, event))
        return found


def sweep(folder: Path, pool: Here, space: Space = SPACE, **given: Any) -> Trials:
    """Run as `sweep` does, on what is in the folder."""
    folder.mkdir(exist_ok=True)
    asked = Asked(SweepConfig(**({"pruning": "asha", "reduction": 2} | given)), space, {}, None)
    trials = Trials.read(folder)
    notes.clear()
    rules = Rules(
        asked,
        2 if asked.config.pruning == "asha" else None,
        lambda trial: {"id": trial.id, "params": trial.params},
        lambda event: notes.append(event["text"]),
    )
    Runner(rules, trials).run(pool)  # type: ignore[arg-type]
    return trials


notes: list[str] = []


def test_a_grid_by_halving(tmp_path):
    pytest.importorskip("optuna")
    pool = Here()
    trials = sweep(tmp_path, pool, GRID, sampler="grid")
    # losses at step 2: 3.5, 2.5, 5.5, 1.5, 4.5, 3.0; the last is third of six and goes on, but is
    # then, at step 4, third of 3.25, 2.25, 1.25 and 2.75
    states = ["complete", "complete", "pruned", "complete", "pruned", "pruned"]
    assert [trial.state for trial in trials] == states
    assert [trial.value for trial in trials] == [3.125, 2.125, 5.5, 1.125, 4.5, 2.75]
    assert [trial.steps for trial in trials] == [8, 8, 2, 8, 2, 4]
    assert trials[2].reason == "eval_loss 5.5000 after 2 steps"
    assert trials[1].evaluations == {2: 2.5, 4: 2.25, 8: 2.125}
    assert list(Trials.read(tmp_path)) == list(trials)
    assert notes[:5] == [
        "trial-0000: seed=0",
        "trial-0000: complete, eval_loss 3.1250 (best)",
        "trial-0001: seed=1",
        "trial-0001: complete, eval_loss 2.1250 (best)",
        "trial-0002: seed=2",
    ]


def test_without_pruning_all_go_to_the_end(tmp_path):
    trials = sweep(tmp_path, Here(2), GRID, sampler="grid", pruning="none")
    assert trials.counts() == {"complete": 6}
    assert sorted(trial.params["seed"] for trial in trials) == list(range(6))


def test_stopped_anywhere_it_ends_as_it_would_have(tmp_path):
    pytest.importorskip("optuna")
    straight = sweep(tmp_path / "straight", whole := Here(), trials=12)
    assert straight.counts().keys() == {"complete", "pruned"}
    for place in range(1, whole.events + 1, 6):
        folder = tmp_path / f"killed-{place}"
        with pytest.raises(Killed):
            sweep(folder, Here(killed_at=place), trials=12)
        sweep(folder, Here(), trials=12)
        tables = [(path / "trials.jsonl").read_bytes() for path in (folder, tmp_path / "straight")]
        assert tables[0] == tables[1], place


def test_more_trials_go_on_and_finished_ones_are_kept(tmp_path):
    pytest.importorskip("optuna")
    sweep(tmp_path / "all", Here(), trials=6)
    sweep(tmp_path / "some", Here(), trials=4)
    pool = Here()
    sweep(tmp_path / "some", pool, trials=6)
    assert pool.jobs == ["trial-0004", "trial-0005"]
    tables = [(tmp_path / name / "trials.jsonl").read_bytes() for name in ("all", "some")]
    assert tables[0] == tables[1]


def test_one_that_was_to_be_stopped_is_not_gone_on_with(tmp_path):
    pytest.importorskip("optuna")
    known = [Trial(0, {"seed": 0}, "complete", 3.0, 8, evaluations={2: 3.5, 4: 3.2, 8: 3.0})]
    Trials(tmp_path, [*known, Trial(1, {"seed": 2}, evaluations={2: 5.5})]).save()
    pool = Here()
    trials = sweep(tmp_path, pool, GRID, sampler="grid", trials=2)
    assert pool.jobs == []
    assert (trials[1].state, trials[1].value, trials[1].steps) == ("pruned", 5.5, 2)


NON_FINITE = {"error": "training became non-finite at step 3", "code": 70}
MISMATCH = {"error": "has an adapter already", "code": 78}
DISK = {"error": "no space left on device", "code": 74}


def test_failures_are_noted_and_the_others_go_on(tmp_path):
    pool = Here(f0=NON_FINITE, f2=MISMATCH)
    trials = sweep(tmp_path, pool, GRID, sampler="grid", pruning="none")
    assert trials.counts() == {"complete": 4, "failed": 2}
    assert (trials[0].reason, trials[0].code) == ("training became non-finite at step 3", 70)
    assert "trial-0002: failed, has an adapter already" in notes


def test_where_nothing_works_the_first_failure_ends_it(tmp_path):
    with pytest.raises(UserError, match="trial-0000: has an adapter already") as caught:
        sweep(tmp_path, Here(f0=MISMATCH), GRID, sampler="grid", pruning="none")
    assert caught.value.code == 78
    trials = sweep(tmp_path, Here(), GRID, sampler="grid", pruning="none")  # it was mended
    assert trials.counts() == {"complete": 6}


def test_what_a_trial_is_not_to_blame_for_ends_it_and_is_done_again(tmp_path):
    with pytest.raises(UserError, match="trial-0003: no space left on device") as caught:
        sweep(tmp_path, Here(f3=DISK), GRID, sampler="grid", pruning="none")
    assert caught.value.code == 74
    assert [trial.state for trial in Trials.read(tmp_path)] == ["complete"] * 3 + ["running"]
    pool = Here()
    assert sweep(tmp_path, pool, GRID, sampler="grid", pruning="none").counts() == {"complete": 6}
    assert pool.jobs[0] == "trial-0003"


def test_a_job_that_is_killed_and_a_worker_that_is(tmp_path):
    class Killing(Sums):
        def _train(self, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
            if job["params"]["seed"] == 1:
                yield {"event": "over", "status": -9}
            elif job["params"]["seed"] == 3:
                yield {"event": "dead", "status": -9}
            else:
                yield from super()._train(job)

    pool = Here()
    pool.workers = [Killing(pool)]
    with pytest.raises(UserError, match="a worker process ended early"):
        sweep(tmp_path, pool, GRID, sampler="grid", pruning="none")
    trials = Trials.read(tmp_path)
    assert [trial.state for trial in trials] == ["complete", "failed", "complete", "running"]
    assert (trials[1].reason, trials[1].code) == ("was killed (exit status -9)", 71)


def test_a_run_alone():
    job = {"id": "best", "params": {"seed": 3}, "train": {"output": "sw/best"}}
    assert run_alone(Here(), job)["value"] == 1.125  # type: ignore[arg-type]
    with pytest.raises(UserError, match="sw/best: has an adapter already") as caught:
        run_alone(Here(f3=MISMATCH), job)  # type: ignore[arg-type]
    assert caught.value.code == 78
