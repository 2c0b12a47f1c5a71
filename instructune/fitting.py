"""Work in, a trained model in a run directory out: build, loop, checkpoint, resume, save."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from instructune import checkpoints, files, hardware, lineage, plan, rundir
from instructune.configs import TrainConfig
from instructune.jsonl import pretty
from instructune.models import load_model, quiet, save_model
from instructune.optimizers import Optimizer, count
from instructune.regularizers import set_dropout
from instructune.rundir import Log, RunDir
from instructune.runs import Decision
from instructune.stopping import Stopped, stop_request
from instructune.trainer import Hooks, State, train
from instructune.work import Work


class Fit:
    """A model, its optimizer and plan, ready to train."""

    def __init__(self, config: TrainConfig, work: Work) -> None:
        self.threads = hardware.use_threads(config.threads)
        hardware.keep_memory()
        self.device = hardware.device(config.device)
        self.dtype = hardware.dtype(config.dtype, self.device)
        torch.manual_seed(config.seed)
        base = load_model(
            work.model, dtype=self.dtype, seed=config.seed, device=str(self.device)
        )
        with quiet():
            self.model = work.method.apply(base, work.method_options)
        if config.dropout is not None:
            set_dropout(self.model, config.dropout)
        self.optimizer = Optimizer(self.model, weight_decay=config.weight_decay)
        self.loss = work.objective.loss(self.model)
        rate = config.learning_rate
        if rate is None:
            rate = plan.rate_of(random=work.model.random, adapter=work.method.ADAPTER)
        self.plan = plan.plan_of(
            config,
            work.data,
            rate=rate,
            device=self.device.type,
            pad_id=work.tokenizer.pad_id,
        )
        self.trainable, self.parameters = count(self.model.parameters())

    def resolved(self, work: Work) -> dict[str, Any]:
        """Every number the run is made with."""
        return asdict(self.plan) | {
            "max_length": work.max_length,
            "dtype": str(self.dtype).removeprefix("torch."),
            "device": self.device.type,
            "threads": self.threads,
            "template": work.tokenizer.template_name,
            "trainable_parameters": self.trainable,
            "parameters": self.parameters,
        }


def fit(
    config: TrainConfig, run: RunDir, work: Work, decision: Decision, notify: Any
) -> dict[str, Any]:
    """Train to the end, from a checkpoint where there is one; returns the report."""
    fitted = Fit(config, work)
    state, log_size = State(), 0
    if decision is Decision.RESUME:
        state, log_size = _resume(run, fitted, notify)
    run.cut_log(log_size)
    document = _document(config, work, fitted)
    run.write_document(document | {"state": "running"})
    notify({"event": "start", "resolved": fitted.resolved(work), "step": state.step})
    started, tokens_before, steps_before = time.monotonic(), state.tokens, state.step
    saving = []

    def checkpoint(now: State) -> None:
        began = time.monotonic()
        _checkpoint(config, run, fitted, now, log)
        saving.append(time.monotonic() - began)

    with run.log() as log, stop_request() as stop:
        hooks = Hooks(
            event=lambda event: (log.append(event), notify(event)),
            checkpoint=checkpoint,
            stop_requested=stop,
        )
        done = train(
            fitted.model,
            work.data,
            work.eval_data,
            fitted.loss,
            fitted.optimizer,
            fitted.plan,
            state,
            hooks,
        )
    training_seconds = time.monotonic() - started - sum(saving)
    if not done:
        run.write_document(document | {"state": "stopped"})
        raise Stopped(
            stop.number or 0,
            f"{run.path}: stopped after step {state.step} of {fitted.plan.steps}; "
            "the same command goes on from there",
        )
    _save(config, run, work, fitted, state)
    report = _report(run, work, fitted, state)
    run.write_document(document | {"state": "finished", "result": report})
    seconds = time.monotonic() - started
    return report | {
        "seconds": round(seconds, 3),
        "training_seconds": round(training_seconds, 3),
        "tokens_per_second": round((state.tokens - tokens_before) / max(training_seconds, 1e-9), 1),
        "steps_this_time": state.step - steps_before,
        "peak_memory": hardware.peak_memory(),
    }


def _document(config: TrainConfig, work: Work, fitted: Fit) -> dict[str, Any]:
    return {
        "state": "running",
        "base": config.model,
        "objective": config.objective,
        "method": config.method,
        "length": {"epochs": config.epochs, "steps": config.steps},
        "seed": config.seed,
        "config": lineage.plain(config),
        "resolved": fitted.resolved(work),
        "identity": work.identity,
        "fingerprints": work.fingerprints,
        "counts": work.counts,
        "stop_ids": work.stops,
        "versions": lineage.versions("torch", "transformers", "peft", "tokenizers"),
    }


def _resume(run: RunDir, fitted: Fit, notify: Any) -> tuple[State, int]:
    """The newest checkpoint that verifies, taken in; from the start where there is none."""
    path, skipped = checkpoints.newest(run.checkpoints)
    for reason in skipped:
        notify({"event": "note", "text": f"passed over {reason}"})
    if path is None:
        return State(), 0
    tensors, saved = checkpoints.load(path)
    fitted.optimizer.load(tensors)
    torch.set_rng_state(tensors["rng.cpu"])
    if "rng.cuda" in tensors and fitted.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["rng.cuda"])
    if saved["threads"] != fitted.threads:
        text = f"{saved['threads']} threads before, {fitted.threads} now: not bit for bit the same"
        notify({"event": "note", "text": text})
    state = State(**saved["state"])
    if state.step < fitted.plan.steps:
        state.stopped_early = False
    notify({"event": "note", "text": f"resumed from {path}"})
    return state, saved["log_size"]


def _checkpoint(config: TrainConfig, run: RunDir, fitted: Fit, state: State, log: Log) -> None:
    if (run.checkpoints / checkpoints.name_of(state.step)).is_dir():
        return
    tensors = fitted.optimizer.tensors() | {"rng.cpu": torch.get_rng_state()}
    if fitted.device.type == "cuda":
        tensors["rng.cuda"] = torch.cuda.get_rng_state()
    saved = {"state": state.as_dict(), "log_size": log.size, "threads": fitted.threads}
    try:
        path = checkpoints.save(run.checkpoints, state.step, tensors, saved)
    except OSError as error:
        raise files.io_error(error, str(run.checkpoints)) from None
    checkpoints.point(run.path / rundir.LAST, path)
    best = checkpoints.name_of(state.best_step) if state.best_step is not None else ""
    if (run.checkpoints / best).is_dir() and best:
        checkpoints.point(run.path / rundir.BEST, run.checkpoints / best)
    checkpoints.prune(run.checkpoints, config.keep_checkpoints, {best})


def _save(config: TrainConfig, run: RunDir, work: Work, fitted: Fit, state: State) -> None:
    """The best parameters (the last where nothing was evaluated) as transformers reads them."""
    if state.best_step is not None and state.best_step != state.step:
        tensors, _ = checkpoints.load(run.checkpoints / checkpoints.name_of(state.best_step))
        fitted.optimizer.load(tensors)
    name = rundir.ADAPTER if work.method.ADAPTER else rundir.MODEL
    with files.committed_directory(run.path / name) as folder:
        if work.method.ADAPTER:
            _save_adapter(fitted.model, folder, config.model)
        else:
            dtype = _stored_dtype(config, work)
            fitted.optimizer.promote(fitted.model, dtype)
            save_model(fitted.model, folder, dtype)
        work.tokenizer.save(folder)
        generation = {"eos_token_id": work.stops, "pad_token_id": work.tokenizer.pad_id}
        (folder / "generation_config.json").write_bytes(pretty(generation))


def _save_adapter(model: Any, folder: Path, base: str) -> None:
    model.peft_config["default"].base_model_name_or_path = base
    with quiet():
        model.save_pretrained(folder, save_embedding_layers=False)  # else it asks the Hub
    with suppress(FileNotFoundError):
        (folder / "README.md").unlink()  # an empty form


def _stored_dtype(config: TrainConfig, work: Work) -> torch.dtype:
    """The base's stored dtype, unless asked otherwise."""
    named = config.save_dtype or work.model_config.get(
        "dtype", work.model_config.get("torch_dtype", "float32")
    )
    return getattr(torch, named)


def _report(run: RunDir, work: Work, fitted: Fit, state: State) -> dict[str, Any]:
    losses = [event["loss"] for event in run.events() if event["event"] == "step"]
    return {
        "run": run.path.name,
        "steps": state.step,
        "epochs": round(state.step / fitted.plan.steps_per_epoch, 4),
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "eval_loss_best": state.best_loss,
        "best_step": state.best_step,
        "stopped_early": state.stopped_early,
        "tokens": state.tokens,
        "rows": len(work.data),
        "trainable_parameters": fitted.trainable,
        "parameters": fitted.parameters,
    }


def rehearse(config: TrainConfig, work: Work) -> dict[str, Any]:
    """`--dry-run`: everything resolved, one forward and backward pass, nothing written."""
    fitted = Fit(config, work)
    longest = int(work.data.lengths.argmax())
    batch = work.data.batch([longest], fitted.plan.pad_id)
    started = time.monotonic()
    (fitted.loss(batch) / batch.units).backward()
    seconds = time.monotonic() - started
    tokens = int(work.data.lengths.mean() * fitted.plan.steps * config.batch_size)
    speed = batch.input_ids.numel() / seconds
    states = 12 * fitted.trainable + (4 * fitted.trainable if fitted.dtype != torch.float32 else 0)
    return {
        "resolved": fitted.resolved(work),
        "counts": work.counts,
        "dropped": work.dropped,
        "rows": len(work.data),
        "tokens_an_epoch": work.data.tokens,
        "learned_tokens_an_epoch": work.data.learned,
        "longest_row": int(work.data.lengths.max()),
        "trainable_share": round(fitted.trainable / fitted.parameters, 6),
        "estimated_tokens": tokens,
        "estimated_seconds": round(tokens / speed, 1),
        "estimated_memory": hardware.peak_memory() + states,
        "fingerprints": work.fingerprints,
        "mask": _mask_sample(work),
    }


def _mask_sample(work: Work) -> list[list[Any]]:
    """The first row as `[token, learned]` pairs."""
    end = int(work.data.starts[1])
    pairs = zip(work.data.ids[:end], work.data.weights[:end], strict=True)
    return [[work.tokenizer.token(int(i)), bool(weight)] for i, weight in pairs]
