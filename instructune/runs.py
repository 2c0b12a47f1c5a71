"""Whether a run directory is new, to be resumed, finished, or somebody else's."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

from instructune import rundir
from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError
from instructune.rundir import RunDir

# Settings that do not change what is learned, or whose change has a meaning of its own.
_NOT_COMPARED = frozenset(
    {
        "data",
        "eval_data",
        "model",
        "output",
        "method",
        "template",
        "epochs",
        "steps",
        "resume",
        "overwrite",
        "dry_run",
        "threads",
        "device",
        "log_every",
        "checkpoint_every",
        "keep_checkpoints",
        "save_dtype",
        "format",
        "field",
        "bad_rows",
        "rejects",
    }
)


class Decision(Enum):
    """What to do with a run directory."""

    START = "start"
    RESUME = "resume"
    NOTHING = "nothing"


def identity(
    config: TrainConfig, method: str, method_options: Any, fingerprints: dict[str, str]
) -> dict[str, Any]:
    """Everything that decides which weights come out, but for the number of steps."""
    settings = {k: v for k, v in dataclasses.asdict(config).items() if k not in _NOT_COMPARED}
    settings["method"] = method
    if method_options is not None:
        settings |= {f"method.{k}": v for k, v in dataclasses.asdict(method_options).items()}
    settings |= {f"fingerprint of {name}": value for name, value in fingerprints.items()}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}


def decide(run: RunDir, config: TrainConfig, wanted: dict[str, Any]) -> Decision:
    """Compare with the run that stands there; raises 73 where they differ."""
    document = run.document()
    if document is None:
        return Decision.START
    where = str(run.path)
    if config.resume == "never":
        raise UserError(
            "holds a run already", where=where, hint="--overwrite", code=Exit.CANNOT_CREATE
        )
    before = document["identity"]
    changed = [k for k in wanted | before if wanted.get(k) != before.get(k)]
    if changed:
        told = "; ".join(f"{k}: {before.get(k)} -> {wanted.get(k)}" for k in changed[:8])
        raise UserError(
            f"holds a run with other settings ({told})",
            where=where,
            hint="choose another -o, or --overwrite to move it aside",
            code=Exit.CANNOT_CREATE,
        )
    if document["state"] != "finished":
        return Decision.RESUME
    length = {"epochs": config.epochs, "steps": config.steps}
    return Decision.NOTHING if document["length"] == length else Decision.RESUME


def check_place(run: RunDir) -> None:
    """Refuse a directory that holds something else."""
    if run.path.is_dir() and run.document() is None:
        ours = {rundir.LOCK, rundir.DATA, rundir.CHECKPOINTS, rundir.LOG}
        foreign = sorted(p.name for p in run.path.iterdir() if p.name not in ours)
        if foreign:
            raise UserError(
                f"exists and is not a run (it holds {', '.join(foreign[:4])})",
                where=str(run.path),
                hint="choose another -o",
                code=Exit.CANNOT_CREATE,
            )


def move_aside(run: RunDir) -> None:
    """Rename an existing run to `NAME.old`, `NAME.old-2`, …; one in use is refused."""
    if run.document() is None:
        return
    with run.locked():
        number, target = 1, Path(f"{run.path}.old")
        while target.exists():
            number += 1
            target = Path(f"{run.path}.old-{number}")
        run.path.rename(target)


def remove_empty(run: RunDir) -> None:
    """Leave nothing behind where a run failed before it began."""
    with suppress(OSError):
        if {p.name for p in run.path.iterdir()} == {rundir.LOCK}:
            (run.path / rundir.LOCK).unlink()
            run.path.rmdir()
