"""sweep: a file of settings and ranges -> trials, each a run directory -> the best of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from instructune import files, lineage
from instructune.configs import SweepConfig, TrainConfig
from instructune.errors import Exit, UserError
from instructune.jsonl import load_document, pretty
from instructune.reading.workers import count
from instructune.reports.swept import Swept, swept
from instructune.rundir import LOCK, RunDir
from instructune.stopping import told
from instructune.sweeping import searching
from instructune.sweeping.asked import Asked, fields_that_differ, job
from instructune.sweeping.pool import Pool
from instructune.sweeping.running import Rules, Runner, run_alone
from instructune.sweeping.trials import FAILED, RUNNING, Trial, Trials
from instructune.training import plan
from instructune.training.work import read_work

Notify = Callable[[dict[str, Any]], None]
SWEEP, BEST = "sweep.json", "best"
_PROGRAM = "instructune.stages.trial"


def sweep(asked: Asked, notify: Notify) -> dict[str, Any]:
    """Try settings of a training, and keep the best; returns the report.

    A sweep with the same settings goes on where it stopped, or is left alone where it is finished.
    """
    config: SweepConfig = asked.config
    folder = Path(config.output)
    if config.sampler != "grid" or config.pruning != "none" or config.report:
        searching.optuna()
    if config.report:
        files.check_creatable(config.report)
    _check_place(folder)
    resolved, identity = _resolve(asked, notify)
    _refuse_changes(asked, folder, identity)
    if config.dry_run:
        return {"dry_run": True, **resolved, "search": _told_space(asked)}
    again = f"{folder}: stopped; the same command goes on from there"
    with RunDir(folder).locked(), told(again):
        _refuse_changes(asked, folder, identity)  # nobody else can have begun since
        return _sweep(asked, folder, resolved, identity, notify)


def _sweep(
    asked: Asked,
    folder: Path,
    resolved: dict[str, Any],
    identity: dict[str, Any],
    notify: Notify,
) -> dict[str, Any]:
    trials, best = Trials.read(folder), _document(folder).get(BEST)
    now = {
        "config": lineage.plain(asked.config),
        "identity": identity,
        "resolved": resolved,
        "versions": lineage.versions(),
    }
    _write(folder, now | {"state": "running", BEST: best})
    if len(trials) < asked.trials or any(trial.state == RUNNING for trial in trials):
        rules = Rules(asked, resolved["min_steps"], _jobs(asked, folder), notify)
        with Pool(_PROGRAM, min(asked.config.workers, asked.trials)) as pool:
            Runner(rules, trials).run(pool)
    else:
        notify({"event": "note", "text": f"{folder}: all trials are done already"})
    found = _best_of(trials, asked)
    best = _take_best(asked, folder, found, now, best)
    _write(folder, now | {"state": "finished", BEST: best})
    report = _report(asked, folder, trials, found, best)
    if asked.config.report:
        files.write_bytes(asked.config.report, swept(Swept(str(folder), asked, trials, best)))
    return report


def _check_place(folder: Path) -> None:
    """Refuse a directory that holds something else."""
    if folder.is_dir() and not (folder / SWEEP).is_file():
        foreign = sorted(p.name for p in folder.iterdir() if p.name != LOCK and p.name[0] != ".")
        if foreign:
            raise UserError(
                f"exists and is not a sweep (it holds {', '.join(foreign[:4])})",
                where=str(folder),
                hint="choose another -o",
                code=Exit.CANNOT_CREATE,
            )


def _resolve(asked: Asked, notify: Notify) -> tuple[dict[str, Any], dict[str, Any]]:
    """What depends on model, data or machine, and the sweep's identity; reads and checks all data.

    What is wrong with the data is said once, before the first trial.
    """
    config: SweepConfig = asked.config
    train = TrainConfig(**asked.space.settings(asked.space.some_point()))
    train = replace(train, output=config.output, dry_run=True)
    with ExitStack() as stack:
        work = read_work(
            train,
            RunDir(Path(config.output) / "trial-0000"),
            stack,
            lambda text: notify({"event": "note", "text": text}),
        )
    steps = plan.steps_of(train, len(work.data))
    min_steps = None
    if config.pruning != "none":
        min_steps = config.min_steps or max(1, steps // config.reduction**2)
    searched = {parameter.name for parameter in asked.space.parameters}
    prints = {
        f"fingerprint of {name}": value
        for name, value in work.fingerprints.items()
        if name.endswith("data") or "model" not in searched
    }
    resolved = {
        "trials": asked.trials,
        "points": asked.space.size,
        "rows": len(work.data),
        "steps": steps,
        "min_steps": min_steps,
        "mode": "min" if asked.sign > 0 else "max",
        "workers": config.workers,
        "threads": _threads(asked),
    }
    return resolved, asked.identity(min_steps) | prints


def _threads(asked: Asked) -> int:
    """Of each trial: the processors are divided, so that trials do not fight over them."""
    given: int | None = asked.space.train.get("threads")
    return given or max(1, count() // asked.config.workers)


def _document(folder: Path) -> dict[str, Any]:
    path = folder / SWEEP
    if not path.is_file():
        return {}
    document = load_document(path.read_bytes(), str(path))
    if not isinstance(document, dict) or not isinstance(document.get("identity"), dict):
        raise UserError("is not what `sweep` writes", where=str(path), code=Exit.CANNOT_CREATE)
    return document


def _refuse_changes(asked: Asked, folder: Path, identity: dict[str, Any]) -> None:
    """Raise 73 where another sweep stands at the folder; more trials than it had are welcome."""
    document = _document(folder)
    if not document:
        return
    differ = fields_that_differ(document["identity"], identity)
    done = len(Trials.read(folder))
    if asked.trials < done:
        differ.append(f"trials: {done} -> {asked.trials}")
    if differ:
        raise UserError(
            f"holds a sweep with other settings ({'; '.join(differ)})",
            where=str(folder),
            hint="choose another -o",
            code=Exit.CANNOT_CREATE,
        )


def _write(folder: Path, document: dict[str, Any]) -> None:
    files.write_bytes(folder / SWEEP, pretty(document))


def _jobs(asked: Asked, folder: Path) -> Callable[[Trial], dict[str, Any]]:
    threads = _threads(asked)
    return lambda trial: job(asked, trial.params, str(folder / trial.id), threads)


def _best_of(trials: Trials, asked: Asked) -> Trial:
    best = trials.best(asked.sign)
    if best is None:
        failed = [trial for trial in trials if trial.state == FAILED]
        last = f", the last one: {failed[-1].reason}" if failed else ""
        raise UserError(
            f"no trial is complete: {len(failed)} of {len(trials)} failed{last}",
            where=asked.config.output,
            code=Exit(failed[-1].code or Exit.BUG) if failed else Exit.NON_FINITE,
        )
    return best


def _take_best(
    asked: Asked, folder: Path, trial: Trial, now: dict[str, Any], before: dict[str, Any] | None
) -> dict[str, Any]:
    """Put the best at `best`: a link to its run, or a training of its own where the file asks so.

    Without other settings a second training would give the same bytes, so there is none.
    """
    path = folder / BEST
    best: dict[str, Any] = {"trial": trial.id, "params": trial.params, "value": trial.value}
    if asked.best is None:
        if not path.is_symlink():
            _aside(path)
        _point(path, folder / trial.id)
        return best | {"retrained": False}
    wanted = {
        "trial": trial.id,
        "settings": {k: lineage.shortened(v) for k, v in asked.best.items()},
    }
    same = before and all(before.get(key) == value for key, value in wanted.items())
    if before and same and before.get("retrained") and path.is_dir():
        return before
    if not same:
        _aside(path)
    _write(folder, now | {"state": "running", BEST: wanted})
    given = job(asked, trial.params, str(path), count())
    train = TrainConfig(**(asked.space.settings(trial.params) | asked.best | {"output": str(path)}))
    given["train"] = asdict(train)
    with Pool(_PROGRAM, 1) as pool:
        ended = run_alone(pool, given)
    return best | wanted | {"retrained": True, "retrained_value": ended["value"]}


def _aside(path: Path) -> None:
    """Make room: a link goes, a run is moved to `best.old`, `best.old-2`, …"""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        number, target = 1, path.with_name(f"{path.name}.old")
        while target.exists():
            number += 1
            target = path.with_name(f"{path.name}.old-{number}")
        path.rename(target)


def _point(link: Path, target: Path) -> None:
    """Make `link` a relative symbolic link to `target`, in one step."""
    temporary = link.with_name(f".{link.name}.tmp")
    with suppress(FileNotFoundError):
        temporary.unlink()
    temporary.symlink_to(os.path.relpath(target, link.parent))
    os.replace(temporary, link)  # noqa: PTH105


def _told_space(asked: Asked) -> dict[str, str]:
    return {parameter.name: parameter.told() for parameter in asked.space.parameters}


def _report(
    asked: Asked, folder: Path, trials: Trials, best: Trial, kept: dict[str, Any]
) -> dict[str, Any]:
    return {
        "sweep": folder.name,
        "metric": asked.config.metric,
        "mode": "min" if asked.sign > 0 else "max",
        "trials": len(trials),
        "states": trials.counts(),
        "best": kept | {"run": str(folder / BEST)},
        "steps": sum(trial.steps or 0 for trial in trials),
        "table": [trial.row() for trial in trials],
    }
