"""A fit to a checkpoint of its run and back, so that a resumed run equals a straight one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from instructune import rundir
from instructune.errors import Exit, UserError
from instructune.rundir import Log, RunDir
from instructune.training import checkpoints
from instructune.training.trainer import Event, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from instructune.training.fitting import Fit


def checkpoint(run: RunDir, fitted: Fit, state: State, log: Log, keep: int) -> None:
    """Save the fit as it stands after `state.step`; the newest `keep` and the best are kept."""
    if state != fitted.saved:
        _save(run, fitted, state, log)
        fitted.saved = replace(state)
    # also where nothing was saved: a kill may have come between the saving and this
    checkpoints.point(run.path / rundir.LAST, run.checkpoints / checkpoints.name_of(state.step))
    best = ""
    if state.best_step is not None:
        best = checkpoints.name_of(state.best_step)
        checkpoints.point(run.path / rundir.BEST, run.checkpoints / best)
    checkpoints.prune(run.checkpoints, state.step, keep, {best})


def _save(run: RunDir, fitted: Fit, state: State, log: Log) -> None:
    tensors = fitted.optimizer.tensors() | fitted.averages.saved()
    tensors |= fitted.coaches.tensors()
    _check_finite(tensors, state)
    tensors["rng.cpu"] = torch.get_rng_state()
    if fitted.device.type == "cuda":
        tensors["rng.cuda"] = torch.cuda.get_rng_state()
    saved = {
        "state": state.as_dict(),
        "steps": fitted.plan.steps,
        "log_size": log.sync(),
        "run": fitted.identity,
    } | _rounding(fitted)
    checkpoints.save(run.checkpoints, state.step, tensors, saved)


def _rounding(fitted: Fit) -> dict[str, Any]:
    """What decides the last bits beside the settings."""
    return {
        "threads": fitted.threads,
        "micro-batch tokens": fitted.plan.micro_batch_tokens,
        "torch": torch.__version__,
    }


def _check_finite(tensors: dict[str, torch.Tensor], state: State) -> None:
    """Refuse to keep what no later step could mend; the loss would show it only at the next."""
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise UserError(
                f"training became non-finite: {name} after step {state.step}",
                hint="lower --learning-rate; nothing was saved after that step",
                code=Exit.NON_FINITE,
            )


def resume(run: RunDir, fitted: Fit, notify: Callable[[Event], None]) -> tuple[State, int]:
    """Take the newest checkpoint that verifies; from the start where there is none.

    Returns the state and the size the log had then.
    """

    def is_other(saved: dict[str, Any]) -> str | None:
        return None if saved.get("run") == fitted.identity else "is of another run"

    def note(text: str) -> None:
        notify({"event": "note", "text": text})

    path, skipped = checkpoints.newest(run.checkpoints, is_other)
    for reason in skipped:
        note(f"passed over {reason}")
    if path is None:
        note(f"{run.path}: no checkpoint to resume from, starting anew")
        return State(), 0
    tensors, saved = checkpoints.load(path)
    take(fitted, tensors)
    torch.set_rng_state(tensors["rng.cpu"])
    if "rng.cuda" in tensors and fitted.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["rng.cuda"])
    for name, now in _rounding(fitted).items():
        if saved[name] != now:
            note(f"{name} {saved[name]} before, {now} now: not bit for bit the same")
    state = State(**saved["state"])
    fitted.saved = replace(state)
    if fitted.plan.steps > saved["steps"] and state.stopped_early:
        state.stopped_early, state.evaluations_since_best = False, 0
    _check_best(run, state, note)
    note(f"resumed from {path}")
    return state, saved["log_size"]


def take(fitted: Fit, tensors: dict[str, torch.Tensor]) -> None:
    """Bring a fit to where it was when a checkpoint of these tensors was saved."""
    fitted.optimizer.load(tensors)
    fitted.averages.load(tensors)
    fitted.coaches.load(tensors)


def _check_best(run: RunDir, state: State, note: Callable[[str], None]) -> None:
    """Go on without a best checkpoint that is damaged."""
    if state.best_step is None:
        return
    best = run.checkpoints / checkpoints.name_of(state.best_step)
    if reason := checkpoints.fault(best):
        note(f"{best}: {reason}; the best of the steps to come is kept instead")
        state.best_loss = state.best_step = None
