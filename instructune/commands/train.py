"""The `train` command."""

from __future__ import annotations

import dataclasses
import json as jsonlib
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import typer

from instructune.adversaries import adversaries
from instructune.commands import options
from instructune.commands.progress import progress
from instructune.configs import TrainConfig
from instructune.objectives import objectives
from instructune.optimizers import optimizers
from instructune.retentions import retentions
from instructune.schedules import schedules


def train(
    ctx: typer.Context,
    data: Annotated[list[str], typer.Argument(help="Files of records, or - for a pipe.")] = [],  # noqa: B006
    model: options.Model = TrainConfig.model,
    init_from: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Go on with what this run trained: its adapter, or its weights."
        ),
    ] = TrainConfig.init_from,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="RUN", help="The run directory.")
    ] = TrainConfig.output,
    objective: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:key=value,…]",
            help=f"What is learned: {', '.join(objectives.names())}; default sft, or as "
            "--init-from; NAME:help tells its options.",
        ),
    ] = TrainConfig.objective,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:key=value,…]",
            help="Which parameters become trainable; default full, or as --init-from; NAME:help "
            "tells its options.",
        ),
    ] = TrainConfig.method,
    replay: Annotated[
        list[str],
        typer.Option(
            metavar="FILE:SHARE", help="Old rows to learn beside the new, as a share of all."
        ),
    ] = [],  # noqa: B006
    retain: Annotated[
        list[str],
        typer.Option(
            metavar="NAME[:key=value,…]",
            help=f"What holds the model near where it began: {', '.join(retentions.names())}.",
        ),
    ] = [],  # noqa: B006
    eval_data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Records to measure the loss on.")
    ] = TrainConfig.eval_data,
    epochs: Annotated[
        float | None, typer.Option(help="Passes over the data; default 3.")
    ] = TrainConfig.epochs,
    steps: Annotated[
        int | None, typer.Option(help="Optimizer steps at most; default: by --epochs.")
    ] = TrainConfig.steps,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Peak rate; default of AdamW 2e-5, adapters 2e-4, random weights 1e-3."),
    ] = TrainConfig.learning_rate,
    optimizer: Annotated[
        str,
        typer.Option(
            metavar="NAME[:key=value,…]",
            help=f"How gradients change parameters: {', '.join(optimizers.names())}.",
        ),
    ] = TrainConfig.optimizer,
    schedule: Annotated[
        str,
        typer.Option(
            metavar="NAME[:key=value,…]",
            help=f"Rate after the warm-up: {', '.join(schedules.names())}.",
        ),
    ] = TrainConfig.schedule,
    warmup: Annotated[
        float, typer.Option(help="Share of the steps in which the rate rises.")
    ] = TrainConfig.warmup,
    layer_decay: Annotated[
        float, typer.Option(help="Each layer's rate as a share of that of the layer above.")
    ] = TrainConfig.layer_decay,
    weight_decay: Annotated[
        float, typer.Option(help="The optimizer's; spares biases, norms and embeddings.")
    ] = TrainConfig.weight_decay,
    max_grad_norm: Annotated[
        float, typer.Option(help="Gradients are scaled down to this norm.")
    ] = TrainConfig.max_grad_norm,
    batch_size: Annotated[
        int, typer.Option(help="Rows an optimizer step.")
    ] = TrainConfig.batch_size,
    micro_batch_tokens: Annotated[
        int | None,
        typer.Option(help="Padded tokens a forward pass at most; changes memory, not the loss."),
    ] = TrainConfig.micro_batch_tokens,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens a row at most; default: the model's, up to 2048.")
    ] = TrainConfig.max_length,
    overflow: options.Overflow = TrainConfig.overflow,
    train_on: options.TrainOn = TrainConfig.train_on,
    template: options.Template = TrainConfig.template,
    dropout: Annotated[
        float | None, typer.Option(help="The model's dropout; default: as its config says.")
    ] = TrainConfig.dropout,
    label_smoothing: Annotated[
        float, typer.Option(help="Share of each target that is spread over all classes.")
    ] = TrainConfig.label_smoothing,
    r_drop: Annotated[
        float,
        typer.Option(metavar="ALPHA", help="Weight of how far two passes with dropout differ."),
    ] = TrainConfig.r_drop,
    neftune: Annotated[
        float, typer.Option(metavar="ALPHA", help="Noise on input embeddings; 5 is usual.")
    ] = TrainConfig.neftune,
    adversarial: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:key=value,…]",
            help="Learn also from embeddings moved against the model: "
            f"{', '.join(adversaries.names())}.",
        ),
    ] = TrainConfig.adversarial,
    ema: Annotated[
        float | None,
        typer.Option(
            metavar="DECAY",
            help="Evaluate and save a moving average of the parameters, of which so much stays.",
        ),
    ] = TrainConfig.ema,
    swa: Annotated[
        float | None,
        typer.Option(
            metavar="START",
            help="Evaluate and save the mean of all steps after this share of the run.",
        ),
    ] = TrainConfig.swa,
    eval_every: Annotated[
        int | None, typer.Option(help="Steps between evaluations; default: an epoch.")
    ] = TrainConfig.eval_every,
    eval_first: Annotated[
        bool, typer.Option("--eval-first", help="Evaluate before the first step as well.")
    ] = TrainConfig.eval_first,
    early_stopping: Annotated[
        int | None, typer.Option(help="Stop after this many evaluations without a better loss.")
    ] = TrainConfig.early_stopping,
    checkpoint_every: Annotated[
        int, typer.Option(help="Steps between checkpoints; one also at each epoch's end.")
    ] = TrainConfig.checkpoint_every,
    keep_checkpoints: Annotated[
        int, typer.Option(help="Newest checkpoints to keep, beside the best.")
    ] = TrainConfig.keep_checkpoints,
    log_every: Annotated[int, typer.Option(help="Steps between events in log.jsonl.")] = (
        TrainConfig.log_every
    ),
    dtype: options.Dtype = TrainConfig.dtype,
    save_dtype: Annotated[
        str | None,
        typer.Option(metavar="float32|bfloat16|float16", help="Default: as the base is stored."),
    ] = TrainConfig.save_dtype,
    device: options.Device = TrainConfig.device,
    threads: options.Threads = TrainConfig.threads,
    seed: options.Seed = TrainConfig.seed,
    resume: Annotated[
        str, typer.Option(metavar="auto|never", help="Go on with a run that stands at -o.")
    ] = TrainConfig.resume,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Move a run that stands at -o aside.")
    ] = TrainConfig.overwrite,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Resolve, count, estimate, show a mask; write nothing."),
    ] = TrainConfig.dry_run,
    format: options.Format = TrainConfig.format,
    field: options.FieldMap = list(TrainConfig.field),  # noqa: B006
    bad_rows: options.BadRows = TrainConfig.bad_rows,
    rejects: options.Rejects = TrainConfig.rejects,
    track: Annotated[
        list[str],
        typer.Option(
            metavar="NAME", help="tensorboard, wandb, mlflow or trackio; may be repeated."
        ),
    ] = list(TrainConfig.track),  # noqa: B006
    config: options.ConfigFile = None,
    json: options.Json = False,
) -> None:
    """Train a model on records: all parameters, or an adapter beside them."""
    from instructune.stages.train import train as run

    settings = options.settings(ctx, TrainConfig)
    if not settings.data and options.stdin_is_piped():
        settings = dataclasses.replace(settings, data=("-",))
    with progress(quiet=json) as notify:
        report = run(settings, _undeterred(notify))
    with suppress(BrokenPipeError):
        if settings.dry_run:
            _tell_rehearsal(report, json)
        else:
            options.report(_told(report, settings.output), report, json)
    sys.stdout.write(jsonlib.dumps(report, ensure_ascii=False) + "\n")


def _undeterred(notify: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """A training outlives the reader of its progress; everything is in the log too."""

    def tell(event: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):
            notify(event)

    return tell


def _told(report: dict[str, Any], output: str) -> str:
    share = report["trainable_parameters"] / report["parameters"]
    line = (
        f"{report['steps']} steps, {report['epochs']:g} epochs of {report['rows']} rows: "
        f"loss {report['loss_first']:.4f} -> {report['loss_last']:.4f}"
    )
    if report["eval_loss_best"] is not None:
        before = report.get("eval_loss_before")  # older runs were not asked for it
        line += f", eval loss {before:.4f} before," if before is not None else ", eval loss"
        line += f" {report['eval_loss_best']:.4f} at its best, step {report['best_step']}"
    if report.get("seconds"):
        line += f"; {report['tokens_per_second']:,.0f} tokens/s in {report['seconds']:.0f} s"
    return f"{line}\n  {report['trainable_parameters']:,} parameters ({share:.2%}) -> {output}"


def _tell_rehearsal(report: dict[str, Any], json: bool) -> None:
    if json:
        return
    for key, value in report["resolved"].items():
        options.say(f"  {key} = {value}")
    learned = report["learned_an_epoch"]
    of_tokens = learned["of"] == "tokens"
    options.say(
        f"rows {report['rows']}, longest {report['longest_row']} tokens; an epoch is "
        f"{report['tokens_an_epoch']} tokens, "
        + (f"{learned['number']} of them learned" if of_tokens else "learned a row at a time")
    )
    for name, count in report["counts"].get("encoding", {}).items():
        options.say(f"  {count} {name}")
    if report["dropped"]:
        options.say(f"  dropped: {', '.join(report['dropped'][:10])}")
    options.say(
        f"trainable {report['trainable_share']:.2%}; about {report['estimated_seconds']:.0f} s "
        f"and {report['estimated_memory'] / 2**30:.1f} GiB"
    )
    tokens = "".join(f"[{token}]" if learned else token for token, learned in report["mask"][:400])
    options.say(f"first row{', learned tokens in brackets' if of_tokens else ''}:\n  {tokens}")
