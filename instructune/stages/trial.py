"""trial: one training of a sweep, and its value by the metric that the sweep compares."""

from __future__ import annotations

import os
import signal
from dataclasses import fields
from pathlib import Path
from typing import Any

from instructune.configs import EvalConfig, GenerateConfig, TrainConfig
from instructune.environment import importing_torch
from instructune.errors import UserError
from instructune.rundir import RunDir
from instructune.stages.eval import evaluate
from instructune.stages.generate import generate
from instructune.stages.train import train
from instructune.sweeping.asked import LOSS
from instructune.sweeping.worker import Ask, Event, Job, serve

PREDICTIONS, SUMMARY = "predictions.jsonl", "summary.jsonl"


def main(parent: int) -> None:
    """Serve the process `parent`."""
    serve(_load, run_trial, parent)


def _load() -> None:
    """Import what trainings need, once: each of them is a fork."""
    with importing_torch():
        import instructune.training.fitting  # noqa: F401


def run_trial(job: Job, ask: Ask) -> Event:
    """Train, from a checkpoint where there is one; where the metric needs it, answer and score.

    Each evaluation is told; where the answer is no, training stops there and raises Stopped.
    """
    config = TrainConfig(**_settings(TrainConfig, job["train"]))
    stop = _Stop(ask)
    report = train(config, stop)
    losses = [e for e in RunDir(config.output).events() if e["event"] == "eval"]
    return {
        "value": report["eval_loss_best"] if job["metric"] == LOSS else _scored(job, config),
        "steps": report["steps"],
        "evaluations": [[event["step"], event["eval_loss"]] for event in losses],
    }


class _Stop:
    """Asks at each evaluation; a no is what a signal would be."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def __call__(self, event: Event) -> None:
        told = {"event": "eval", "step": event.get("step"), "eval_loss": event.get("eval_loss")}
        if event["event"] == "eval" and not self.ask(told):
            os.kill(os.getpid(), signal.SIGTERM)


def _scored(job: Job, config: TrainConfig) -> float:
    """The metric's value on the answers of the run to the evaluation data, both kept in the run."""
    folder, spec = Path(config.output), job["metric"]
    predictions = str(folder / PREDICTIONS)
    given: dict[str, Any] = {
        "data": (config.eval_data,),
        "model": config.output,
        "output": predictions,
        "format": config.format,
        "field": config.field,
        "device": config.device,
        "dtype": config.dtype,
        "overwrite": True,
    }
    given |= _settings(GenerateConfig, job["generate"])
    generate(GenerateConfig(**given), lambda event: None)
    found = evaluate(
        EvalConfig(
            predictions=predictions, metric=(spec,), output=str(folder / SUMMARY), resamples=100
        )
    )
    (value,) = (s["value"] for s in found.summaries if s["metric"] == spec and not s.get("by"))
    if value is None:
        raise UserError(f"{spec} has no value on these answers", where=predictions)
    return float(value)


def _settings(kind: type, given: dict[str, Any]) -> dict[str, Any]:
    """Settings that were JSON, with tuples again where they belong."""
    tuples = {field.name for field in fields(kind) if str(field.type).startswith("tuple")}
    return {key: tuple(v) if key in tuples else v for key, v in given.items()}
