"""The `sweep` command."""

from __future__ import annotations

import json as jsonlib
import sys
from contextlib import suppress
from typing import Annotated, Any

import typer

from instructune.commands import options
from instructune.commands.progress import progress
from instructune.commands.tables import plain
from instructune.configs import SweepConfig


def sweep(
    ctx: typer.Context,
    config: Annotated[
        str, typer.Argument(metavar="SWEEP.toml", help="Tables [train], [search] and [sweep].")
    ] = "sweep.toml",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="DIR", help="The sweep's directory.")
    ] = SweepConfig.output,
    sampler: Annotated[
        str, typer.Option(metavar="tpe|random|grid", help="How the next trial is chosen.")
    ] = SweepConfig.sampler,
    trials: Annotated[
        int | None, typer.Option(help="How many at most; default 20, or the whole grid.")
    ] = SweepConfig.trials,
    seed: Annotated[
        int, typer.Option(help="Seed of the choice of trials; theirs is [train] seed.")
    ] = SweepConfig.seed,
    metric: Annotated[
        str,
        typer.Option(metavar="eval_loss|NAME", help="What is compared; a metric of eval is too."),
    ] = SweepConfig.metric,
    mode: Annotated[
        str | None, typer.Option(metavar="min|max", help="Which is better; default: as it is told.")
    ] = SweepConfig.mode,
    pruning: Annotated[
        str, typer.Option(metavar="none|asha", help="Stop trials whose eval_loss falls behind.")
    ] = SweepConfig.pruning,
    min_steps: Annotated[
        int | None,
        typer.Option(help="Steps before a trial may be stopped; default by --reduction."),
    ] = SweepConfig.min_steps,
    reduction: Annotated[
        int, typer.Option(help="At each rung one trial in this many goes on.")
    ] = SweepConfig.reduction,
    workers: Annotated[
        int, typer.Option(help="Trials at a time, each a process; they share the processors.")
    ] = SweepConfig.workers,
    report: Annotated[
        str | None, typer.Option(metavar="FILE.html", help="A page of drawings and the table.")
    ] = SweepConfig.report,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be tried; write nothing.")
    ] = SweepConfig.dry_run,
    json: options.Json = False,
) -> None:
    """Search the settings of a training: trials, and the best of them."""
    from instructune.stages.sweep import sweep as run
    from instructune.sweeping.asked import read_asked

    given = options.typed(ctx)
    SweepConfig(**given)  # what was typed is looked at before any file is
    asked = read_asked(config, given)
    with progress(quiet=json) as notify:
        found = run(asked, notify)
    with suppress(BrokenPipeError):
        if json:
            options.report("", found, as_json=True)
        elif asked.config.dry_run:
            _tell_rehearsal(found)
        else:
            _tell(found)
    sys.stdout.write(jsonlib.dumps(found, ensure_ascii=False) + "\n")


def _tell(found: dict[str, Any]) -> None:
    rows = [_row(trial, found["best"]["trial"]) for trial in found["table"]]
    for line in plain("trials", rows):
        options.say(line)
    best = found["best"]
    states = ", ".join(f"{count} {state}" for state, count in found["states"].items())
    options.say(f"{found['trials']} trials: {states}; {found['steps']:,} steps in all")
    params = ", ".join(f"{name}={_short(value)}" for name, value in best["params"].items())
    how = "trained anew" if best["retrained"] else f"is {best['trial']}"
    options.say(f"best {found['metric']} {best['value']:.4f}: {params}\n  {best['run']} ({how})")


def _row(trial: dict[str, Any], best: str) -> dict[str, Any]:
    value = trial["value"]
    return {
        "trial": trial["id"],
        "state": trial["state"] + (" (best)" if trial["id"] == best else ""),
        "value": "-" if value is None else f"{value:.4f}",
        "steps": "-" if trial["steps"] is None else str(trial["steps"]),
        **{name: _short(value) for name, value in trial["params"].items()},
    }


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _tell_rehearsal(found: dict[str, Any]) -> None:
    points = f" of {found['points']} points" if found["points"] else ""
    options.say(
        f"{found['trials']} trials{points}, {found['steps']} steps each on {found['rows']} rows; "
        f"{found['workers']} at a time with {found['threads']} threads"
    )
    for name, values in found["search"].items():
        options.say(f"  {name}: {values}")
    if found["min_steps"]:
        options.say(f"  stopped from step {found['min_steps']} on where they fall behind")
