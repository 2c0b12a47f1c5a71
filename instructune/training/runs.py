"""Whether a run directory is new, to be resumed, finished, or somebody else's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

from instructune import files, rundir
from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError
from instructune.rundir import RunDir
from instructune.training.starting import Start

# Settings that do not change what is learned but for rounding, or that are compared otherwise.
_NOT_COMPARED = frozenset(
    {
        "data",
        "eval_data",
        "model",
        "init_from",
        "replay",
        "output",
        "objective",
        "method",
        "template",
        "epochs",
        "steps",
        "resume",
        "overwrite",
        "dry_run",
        "threads",
        "micro_batch_tokens",
        "device",
        "dtype",
        "log_every",
        "eval_first",
        "checkpoint_every",
        "keep_checkpoints",
        "format",
        "field",
        "bad_rows",
        "rejects",
        "track",
    }
)


class Decision(Enum):
    """What to do with a run directory."""

    START = "start"
    RESUME = "resume"
    NOTHING = "nothing"


def identity(config: TrainConfig, start: Start, fingerprints: dict[str, str]) -> dict[str, Any]:
    """Everything that decides which weights come out, but for the number of steps."""
    settings = {k: v for k, v in dataclasses.asdict(config).items() if k not in _NOT_COMPARED}
    settings |= {"objective": start.objective, "method": start.name}
    settings["trained further"] = start.goes_on
    if start.options is not None:
        settings |= {f"method.{k}": v for k, v in dataclasses.asdict(start.options).items()}
    settings |= {f"fingerprint of {name}": value for name, value in fingerprints.items()}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}


def decide(run: RunDir, config: TrainConfig, wanted: dict[str, Any], steps: int) -> Decision:
    """Compare with the run that stands there, planned for `steps`; raises 73 where they differ."""
    document = run.document()
    if document is None:
        return Decision.START
    try:
        before, resolved, state = (document[k] for k in ("identity", "resolved", "state"))
        steps_before, dtype_before = resolved["steps"], resolved["dtype"]
        changes = [(k, before.get(k), wanted.get(k)) for k in wanted | before]
    except (KeyError, TypeError, AttributeError):
        raise UserError(
            "is not what `train` writes",
            where=str(run.path / rundir.RUN),
            hint="choose another -o, or --overwrite to move the run aside",
            code=Exit.CANNOT_CREATE,
        ) from None
    if config.dtype != "auto":
        changes.append(("dtype", dtype_before, config.dtype))
    if steps < steps_before:
        changes.append(("steps", steps_before, steps))
    refuse_changes(run, [change for change in changes if change[1] != change[2]])
    is_done = state == "finished" and steps == steps_before and run.weights.is_dir()
    return Decision.NOTHING if is_done else Decision.RESUME


def refuse_changes(
    run: RunDir,
    changes: list[tuple[str, Any, Any]],
    hint: str = "choose another -o, or --overwrite to move it aside",
) -> None:
    """Raise 73 where settings, given as (name, before, now), are not those of the run."""
    if changes:
        told = "; ".join(f"{name}: {before} -> {now}" for name, before, now in changes)
        raise UserError(
            f"holds a run with other settings ({told})",
            where=str(run.path),
            hint=hint,
            code=Exit.CANNOT_CREATE,
        )


def check_place(run: RunDir, config: TrainConfig) -> None:
    """Refuse a directory that holds something else, and a run that may not be gone on with."""
    where = str(run.path)
    if run.exists and config.resume == "never":
        raise UserError(
            "holds a run already", where=where, hint="--overwrite", code=Exit.CANNOT_CREATE
        )
    if run.exists or not run.path.is_dir():
        return
    foreign = sorted(p.name for p in run.path.iterdir() if not _is_ours(p, config))
    if foreign:
        raise UserError(
            f"exists and is not a run (it holds {', '.join(foreign[:4])})",
            where=where,
            hint="choose another -o",
            code=Exit.CANNOT_CREATE,
        )


def _is_ours(path: Path, config: TrainConfig) -> bool:
    """Whether a `train` that was killed before its run began may have left it."""
    if config.rejects and path == Path(config.rejects):
        return True
    temporaries = tuple(f".{name}.tmp-" for name in (rundir.DATA, rundir.RUN))
    return path.name in (rundir.LOCK, rundir.DATA) or path.name.startswith(temporaries)


@contextmanager
def claimed(run: RunDir, *, overwrite: bool) -> Iterator[None]:
    """Hold a run for this process; `overwrite` moves the one that stands there aside.

    A failure before the new run began leaves everything as it was. A signal keeps the records
    that came by a pipe: the run can be started with them.
    """
    missing = [path for path in (run.path, *run.path.parents) if not path.exists()]
    aside = _move_aside(run) if overwrite else None
    try:
        with run.locked():
            had_data = run.data_path.exists()
            try:
                yield
            except Exception:
                if not run.exists and not had_data:
                    run.data_path.unlink(missing_ok=True)
                raise
            finally:
                if not run.exists:
                    (run.path / rundir.LOCK).unlink(missing_ok=True)
    except BaseException:
        if aside and not run.exists:
            with suppress(OSError):
                run.path.rmdir()
            with suppress(OSError):
                aside.rename(run.path)
        raise
    finally:
        for path in missing:
            with suppress(OSError):
                path.rmdir()


def _move_aside(run: RunDir) -> Path | None:
    """Rename an existing run to `NAME.old`, `NAME.old-2`, …; one in use is refused."""
    if not run.exists:
        return None
    with run.locked():
        number, target = 1, Path(f"{run.path}.old")
        while target.exists():
            number += 1
            target = Path(f"{run.path}.old-{number}")
        with files.naming_errors(str(target)):
            run.path.rename(target)
    return target
