"""Work in, a trained model in a run directory out: build, loop, checkpoint, resume, save."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch

from instructune import hardware, lineage
from instructune.configs import TrainConfig
from instructune.libraries import quiet
from instructune.memory import memory_errors
from instructune.models import load_model
from instructune.rundir import RunDir
from instructune.stopping import Stopped, stop_request, told
from instructune.tracking import tracking
from instructune.training import plan, resuming
from instructune.training.averages import Averages
from instructune.training.coaching import Coach, Coaches
from instructune.training.layerrates import rate_shares
from instructune.training.optimizers import Optimizer, count
from instructune.training.regularizers import set_dropout
from instructune.training.regularizing import training_loss
from instructune.training.retaining import drawn_names, held
from instructune.training.runs import Decision, refuse_changes
from instructune.training.saving import save_trained
from instructune.training.starting import Start
from instructune.training.trainer import Event, Hooks, State, train
from instructune.training.unpadding import is_unpadded, unpad
from instructune.training.work import Work

Notify = Callable[[Event], None]


class Fit:
    """A model, its optimizer and plan, ready to train."""

    def __init__(self, config: TrainConfig, work: Work) -> None:
        self.threads = hardware.use_threads(config.threads)
        hardware.keep_memory()
        self.device = hardware.device(config.device)
        self.dtype = hardware.dtype(config.dtype, self.device)
        torch.manual_seed(config.seed)
        start = work.start
        base: Any = load_model(
            work.model,
            dtype=self.dtype,
            seed=config.seed,
            device=str(self.device),
            head=work.role.head,
            trainable=start.goes_on,
        )
        if config.dropout is not None:
            set_dropout(base, config.dropout)
        drawn = drawn_names(base, work.model.head, work.role.head)
        with quiet():
            self.model = base if start.goes_on else start.method.apply(base, start.options)
        unpad(self.model)
        self.optimizer = Optimizer(
            self.model,
            weight_decay=config.weight_decay,
            optimizer=config.optimizer,
            shares=rate_shares(self.model, config.layer_decay) if config.layer_decay < 1 else None,
        )
        retained = held(work, self.model, self.optimizer, drawn)
        self.loss = training_loss(config, work.objective, self.model, retained)
        rate = config.learning_rate
        if rate is None:
            random, adapter = work.model.random, start.method.ADAPTER
            rate = plan.rate_of(random=random, adapter=adapter, optimizer=config.optimizer)
        self.plan = plan.plan_of(
            config,
            work.data,
            rate=rate,
            device=self.device.type,
            pad_id=work.pad_id,
        )
        self.averages = Averages(config, self.optimizer, self.plan.steps)
        self.coach = self._coach(start)
        # those that hold first: they look at parameters that a method may freeze for a while
        named: dict[str, Coach] = {f"retain.{name}": each for name, each in retained.items()}
        self.coaches = Coaches(named | {"method": self.coach})
        self.trainable, self.parameters = count(self.model.parameters())
        self.identity = lineage.fingerprint(work.identity)
        self.saved: State | None = None  # what the newest checkpoint holds

    def _coach(self, start: Start) -> Coach:
        """The method's; an adapter that is trained further is as that has left it."""
        during = getattr(start.method, "during", None)
        if during is None or start.goes_on:
            return Coach()
        coach: Coach = during(self.model, start.options, self.plan.steps)
        return coach

    def resolved(self, work: Work) -> dict[str, Any]:
        """Every number the run is made with."""
        return asdict(self.plan) | {
            "max_length": work.max_length,
            "dtype": str(self.dtype).removeprefix("torch."),
            "device": self.device.type,
            "threads": self.threads,
            "unpadded": is_unpadded(self.model),
            "template": work.tokenizer.template_name,
            "optimizer": self.optimizer.spelled,
            "groups": self.optimizer.groups,
            "trainable_parameters": self.trainable,
            "parameters": self.parameters,
        }


def fit(
    config: TrainConfig, run: RunDir, work: Work, decision: Decision, notify: Notify
) -> dict[str, Any]:
    """Train to the end, from a checkpoint where there is one; returns the report."""
    with memory_errors():
        return _fit(config, run, work, decision, notify)


def _fit(
    config: TrainConfig, run: RunDir, work: Work, decision: Decision, notify: Notify
) -> dict[str, Any]:
    fitted = Fit(config, work)
    document = _document(config, work, fitted)
    state, log_size = State(), 0
    if decision is Decision.RESUME:
        _check_dtype(run, document)
        state, log_size = resuming.resume(run, fitted, notify)
    fitted.coaches.begin(state.step)
    run.cut_log(log_size)
    run.write_document(document | {"state": "running"})
    notify({"event": "start", "resolved": fitted.resolved(work), "step": state.step})
    started, before = time.monotonic(), (state.tokens, state.step)
    with told(f"{run.path}: stopped; the same command goes on from the last checkpoint"):
        saving = _loop(config, run, work, fitted, state, notify, document)
        training_seconds = time.monotonic() - started - saving
        save_trained(config, run, work, fitted, state)
    report = _report(run, work, fitted, state)
    run.write_document(document | {"state": "finished", "result": report})
    return report | {
        "seconds": round(time.monotonic() - started, 3),
        "training_seconds": round(training_seconds, 3),
        "tokens_per_second": round((state.tokens - before[0]) / max(training_seconds, 1e-9), 1),
        "steps_this_time": state.step - before[1],
        "peak_memory": hardware.peak_memory(),
    }


def _loop(
    config: TrainConfig,
    run: RunDir,
    work: Work,
    fitted: Fit,
    state: State,
    notify: Notify,
    document: dict[str, Any],
) -> float:
    """Train until `state` is at the end; the seconds that saving checkpoints took.

    Raises Stopped where a signal came before.
    """
    saving = 0.0

    def event(what: Event) -> None:
        log.append(what)
        notify(what)
        track(what)

    def checkpoint(now: State) -> None:
        nonlocal saving
        began = time.monotonic()
        resuming.checkpoint(run, fitted, now, log, config.keep_checkpoints)
        saving += time.monotonic() - began

    coaches, averages = fitted.coaches, fitted.averages

    def updated(now: State) -> None:
        coaches.updated(now.step)
        averages.updated(now)

    tracks = tracking(config.track, run.path, document, notify)
    with tracks as track, run.log() as log, stop_request() as stop:
        hooks = Hooks(event, checkpoint, stop, coaches.gathered, updated, averages.applied)
        parts = fitted.model, work.data, work.eval_data, fitted.loss, fitted.optimizer
        done = train(*parts, fitted.plan, state, hooks)
    if not done:
        run.write_document(document | {"state": "stopped"})
        raise Stopped(
            stop.number or 0,
            f"{run.path}: stopped after step {state.step} of {fitted.plan.steps}; "
            "the same command goes on from there",
        )
    return saving


def _check_dtype(run: RunDir, document: dict[str, Any]) -> None:
    """Refuse to go on in another dtype, which `--dtype auto` may choose on another machine."""
    before = (run.document() or {})["resolved"]["dtype"]
    now = document["resolved"]["dtype"]
    if now != before:
        refuse_changes(run, [("dtype", before, now)], f"--dtype {before} goes on with it")


def _document(config: TrainConfig, work: Work, fitted: Fit) -> dict[str, Any]:
    return {
        "state": "running",
        "base": work.start.base,
        "objective": work.start.objective,
        "answers": work.role.as_dict(),
        "method": work.start.spec,
        "length": {"epochs": config.epochs, "steps": config.steps},
        "seed": config.seed,
        "base_seed": config.seed if work.model.seed is None else work.model.seed,
        "config": lineage.plain(config),
        "resolved": fitted.resolved(work),
        "identity": work.identity,
        "fingerprints": work.fingerprints,
        "counts": work.counts,
        "stop_ids": work.stops,
        "versions": lineage.versions("torch", "transformers", "peft", "tokenizers"),
    }


def _report(run: RunDir, work: Work, fitted: Fit, state: State) -> dict[str, Any]:
    events = list(run.events())
    losses = [event["loss"] for event in events if event["event"] == "step"]
    before = [e["eval_loss"] for e in events if e["event"] == "eval" and not e["step"]]
    return {
        "run": run.path.name,
        "steps": state.step,
        "epochs": round(state.step / fitted.plan.steps_per_epoch, 4),
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "eval_loss_before": before[0] if before else None,
        "eval_loss_best": state.best_loss,
        "best_step": state.best_step,
        "stopped_early": state.stopped_early,
        "tokens": state.tokens,
        "rows": len(work.data),
        "trainable_parameters": fitted.trainable,
        "parameters": fitted.parameters,
    }
