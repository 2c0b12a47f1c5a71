"""The `generate` command."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from instructune.commands import options
from instructune.commands.progress import progress
from instructune.configs import GenerateConfig


def generate(
    ctx: typer.Context,
    data: Annotated[list[str], typer.Argument(help="Files of records, or - for a pipe.")] = [],  # noqa: B006
    model: options.Model = GenerateConfig.model,
    prompt: Annotated[
        list[str],
        typer.Option("--prompt", "-p", metavar="TEXT", help="A question instead of data."),
    ] = list(GenerateConfig.prompt),  # noqa: B006
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="System turn for rows without one.")
    ] = GenerateConfig.system,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE|-", help="Where the predictions go.")
    ] = GenerateConfig.output,
    max_new_tokens: Annotated[
        int, typer.Option(help="Tokens an answer at most; 0 only scores what is given.")
    ] = GenerateConfig.max_new_tokens,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest token; above, tokens are drawn.")
    ] = GenerateConfig.temperature,
    top_p: Annotated[
        float, typer.Option(help="Draw from the likeliest tokens that reach this probability.")
    ] = GenerateConfig.top_p,
    top_k: Annotated[
        int, typer.Option(help="Draw from this many likeliest tokens; 0 = all.")
    ] = GenerateConfig.top_k,
    samples: Annotated[int, typer.Option(help="Answers a row.")] = GenerateConfig.samples,
    shots: Annotated[
        int, typer.Option(help="Solved examples to put before each row; from --examples.")
    ] = GenerateConfig.shots,
    examples: Annotated[
        str | None, typer.Option(metavar="FILE", help="Records with answers, to be shown.")
    ] = GenerateConfig.examples,
    shots_by: Annotated[
        str,
        typer.Option(
            metavar="fixed|random|nearest|balanced",
            help="The first ones, drawn, the most alike, or as many of each answer.",
        ),
    ] = GenerateConfig.shots_by,
    score_references: Annotated[
        bool,
        typer.Option("--score-references", help="Say how likely the model finds the references."),
    ] = GenerateConfig.score_references,
    label_scores: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…|@FILE|FIELD",
            help="Say how likely it finds each label, or each item of a field, as the answer.",
        ),
    ] = GenerateConfig.label_scores,
    logprobs: Annotated[
        bool, typer.Option("--logprobs", help="Keep the log-probability of each token.")
    ] = GenerateConfig.logprobs,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:key=value,…]",
            help="Say why: gradient, integrated, occlusion, attention, neighbours:data=FILE.",
        ),
    ] = GenerateConfig.explain,
    stop: Annotated[
        list[str], typer.Option(metavar="TEXT", help="End an answer before this text.")
    ] = list(GenerateConfig.stop),  # noqa: B006
    batch_size: Annotated[
        int, typer.Option(help="Answers made at once.")
    ] = GenerateConfig.batch_size,
    window: Annotated[
        int | None,
        typer.Option(help="Rows sorted, batched and written together; default 8 batches."),
    ] = GenerateConfig.window,
    max_length: Annotated[
        int | None, typer.Option(help="Prompt and answer together; default: the model's limit.")
    ] = GenerateConfig.max_length,
    template: options.Template = GenerateConfig.template,
    backend: Annotated[
        str, typer.Option(metavar="transformers|openai", help="What computes the answers.")
    ] = GenerateConfig.backend,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Server for --backend openai; key in OPENAI_API_KEY."),
    ] = GenerateConfig.base_url,
    dtype: options.Dtype = GenerateConfig.dtype,
    device: options.Device = GenerateConfig.device,
    threads: options.Threads = GenerateConfig.threads,
    seed: options.Seed = GenerateConfig.seed,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew where FILE.partial stands.")
    ] = GenerateConfig.overwrite,
    format: options.Format = GenerateConfig.format,
    field: options.FieldMap = list(GenerateConfig.field),  # noqa: B006
    manifest: options.Manifest = GenerateConfig.manifest,
    config: options.ConfigFile = None,
    json: options.Json = False,
) -> None:
    """Answer records, or a question, with a run or a model."""
    from instructune.stages.generate import generate as run

    settings = options.settings(ctx, GenerateConfig)
    if not settings.prompt:
        settings = dataclasses.replace(settings, data=options.stdin_or_given(settings.data))
    with progress(quiet=json) as notify:
        report = run(settings, notify)
    line = (
        f"{report['predictions']} predictions for {report['rows']} rows -> {settings.output}: "
        f"{report['stopped']} stopped by themselves, {report['errors']} errors"
    )
    if report["kept"]:
        line += f", {report['kept']} kept from before"
    if report["first_error"]:
        line += f"\n  first error: {report['first_error']}"
    options.report(line, report, json)
