"""train: records -> tokens -> batches -> a run directory.

torch is loaded only once the settings, the run directory and all data are known to be in order.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from instructune import tracking
from instructune.configs import TrainConfig
from instructune.environment import importing_torch
from instructune.rundir import RunDir
from instructune.training import plan, runs
from instructune.training.runs import Decision
from instructune.training.work import Work, read_work

Event = dict[str, Any]
Notify = Callable[[Event], None]


def train(config: TrainConfig, notify: Notify) -> dict[str, Any]:
    """Train a model on records; returns the final report.

    A run with the same settings is resumed where it stopped, or left alone where it is finished.
    """
    run, notes = RunDir(config.output), []
    tracking.check(config.track, run.path)

    def tell(event: Event) -> None:
        if event["event"] == "note":
            notes.append(event["text"])
        notify(event)

    if config.dry_run:
        report = _rehearse(config, run, tell)
    else:
        with runs.claimed(run, overwrite=config.overwrite):
            report = _train(config, run, tell)
    return report | {"notes": notes}


def _train(config: TrainConfig, run: RunDir, notify: Notify) -> dict[str, Any]:
    work, decision = _prepare(config, run, notify)
    if decision is Decision.NOTHING:
        _note(notify, f"{run.path}: finished already, nothing to do")
        return (run.document() or {})["result"]
    with importing_torch():
        from instructune.training.fitting import fit

    return fit(config, run, work, decision, notify)


def _rehearse(config: TrainConfig, run: RunDir, notify: Notify) -> dict[str, Any]:
    work, decision = _prepare(config, run, notify)
    with importing_torch():
        from instructune.training.rehearsal import rehearse

    return rehearse(config, work) | {"decision": decision.value}


def _prepare(config: TrainConfig, run: RunDir, notify: Notify) -> tuple[Work, Decision]:
    """Read everything, and see whether it fits what stands at `run`."""
    is_free = config.dry_run and config.overwrite  # it will be
    if not is_free:
        runs.check_place(run, config)
    with ExitStack() as stack:
        work = read_work(config, run, stack, lambda text: _note(notify, text))
        if is_free:
            return work, Decision.START
        steps = plan.steps_of(config, len(work.data))
        return work, runs.decide(run, config, work.identity, steps)


def _note(notify: Notify, text: str) -> None:
    notify({"event": "note", "text": text})
