"""The `show` command."""

from __future__ import annotations

import json as jsonlib
import shutil
from typing import Annotated, Any

import typer

from instructune.commands import options
from instructune.configs import ShowConfig
from instructune.errors import visible

_LEVELS = "▁▂▃▄▅▆▇█"


def show(
    ctx: typer.Context,
    path: Annotated[
        str, typer.Argument(help="A run directory or a file of rows, or - for a pipe.")
    ] = ShowConfig.path,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Rows to show.")] = ShowConfig.limit,
    mask: Annotated[
        bool, typer.Option("--mask", help="Tokens as train sees them, learned ones in brackets.")
    ] = ShowConfig.mask,
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="MODEL", help="Whose tokens, for --mask.")
    ] = ShowConfig.model,
    train_on: options.TrainOn = ShowConfig.train_on,
    template: options.Template = ShowConfig.template,
    max_length: Annotated[
        int | None, typer.Option(help="As in train, for --mask.")
    ] = ShowConfig.max_length,
    overflow: options.Overflow = ShowConfig.overflow,
    config: options.ConfigFile = None,
    json: options.Json = False,
) -> None:
    """Look at rows, at what train learns of them, or at a run and its loss curve."""
    from instructune.stages.show import MaskView, RunView
    from instructune.stages.show import show as run

    view = run(options.settings(ctx, ShowConfig))
    if json:
        typer.echo(jsonlib.dumps(view._asdict(), ensure_ascii=False))
    elif isinstance(view, RunView):
        _print_run(view.document, view.losses, view.eval_losses)
    elif isinstance(view, MaskView):
        for where, tokens in view.sequences:
            learned = sum(is_learned for _, is_learned in tokens)
            typer.echo(f"{visible(where)}  {len(tokens)} tokens, {learned} learned")
            typer.echo("  " + " ".join(_token(*token) for token in tokens))
    else:
        for where, row in view.rows:
            typer.echo(visible(where))
            for key, value in row.items():
                _print_field(key, value)


def _token(text: str, learned: bool) -> str:
    return f"[{visible(text)}]" if learned else visible(text)


def _print_field(key: str, value: Any) -> None:
    if key == "messages" and isinstance(value, list):
        for message in value:
            body = message.get("content") or jsonlib.dumps(
                message.get("tool_calls"), ensure_ascii=False
            )
            typer.echo(f"  {visible(str(message.get('role'))):>9}  {_indented(str(body))}")
        return
    text = value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)
    typer.echo(f"  {visible(key):>9}  {_indented(text)}")


def _indented(text: str) -> str:
    return visible(text).replace("\n", "\n" + " " * 13)


def _print_run(
    document: dict[str, Any], losses: list[tuple[int, float]], held_out: list[tuple[int, float]]
) -> None:
    resolved = document["resolved"]
    share = resolved["trainable_parameters"] / resolved["parameters"]
    typer.echo(f"{document['base']}, {document['objective']} by {document['method']}")
    typer.echo(
        f"  {document['state']}: {losses[-1][0] if losses else 0} of {resolved['steps']} steps, "
        f"{resolved['trainable_parameters']:,} parameters trained ({share:.2%})"
    )
    for name, points in (("loss", losses), ("eval loss", held_out)):
        if points:
            values = [value for _, value in points]
            typer.echo(f"  {name:>9}  {values[0]:.4f} {curve(values)} {values[-1]:.4f}")


def curve(values: list[float], width: int | None = None) -> str:
    """The values as one line of bars, averaged down to `width` columns."""
    width = width or max(10, min(60, shutil.get_terminal_size((80, 24)).columns - 30))
    count = min(width, len(values))
    edges = [round(i * len(values) / count) for i in range(count + 1)]
    parts = [values[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    means = [sum(part) / len(part) for part in parts]
    low, high = min(means), max(means)
    scale = (len(_LEVELS) - 1) / (high - low) if high > low else 0
    return "".join(_LEVELS[round((mean - low) * scale)] for mean in means)
