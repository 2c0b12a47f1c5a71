"""What the commands share: options, settings from the command line, reports, progress."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import Annotated, Any, TypeVar

import typer

from instructune.errors import usage, visible
from instructune.settings import settings as build

T = TypeVar("T")

ConfigFile = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE.toml", help="Settings file; flags win over it."),
]
Json = Annotated[bool, typer.Option("--json", help="Report and errors as JSON on stderr.")]
Format = Annotated[
    str | None, typer.Option(metavar="NAME", help="Row format; default: told by each row's keys.")
]
FieldMap = Annotated[
    list[str], typer.Option(metavar="NAME=COLUMN", help="Read a format's field from this column.")
]
BadRows = Annotated[
    str, typer.Option(metavar="fail|quarantine", help="Stop at a bad row, or set it aside.")
]
Rejects = Annotated[
    str | None, typer.Option(metavar="FILE", help="Where quarantined rows go, with reasons.")
]
Manifest = Annotated[
    str | None, typer.Option(metavar="FILE", help="Where the manifest goes; default: beside -o.")
]
Seed = Annotated[int, typer.Option(help="Seed of every random draw.")]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads; default: all cores.")]
Dtype = Annotated[
    str, typer.Option(metavar="auto|float32|bfloat16", help="Arithmetic; auto asks the hardware.")
]
Template = Annotated[
    str | None,
    typer.Option(metavar="NAME|FILE", help="Chat template instead of the model's own."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="Run, local folder, .gguf file, Hub id, pypi:PACKAGE, or a preset.",
    ),
]
Overflow = Annotated[
    str,
    typer.Option(
        metavar="error|drop|truncate-prompt|truncate-answer|split",
        help="What becomes of rows longer than --max-length.",
    ),
]
TrainOn = Annotated[
    str, typer.Option(metavar="assistant|last|all", help="Which turns are learned.")
]


def settings(ctx: typer.Context, kind: type[T]) -> T:
    """The command's config: flag > `--config` file > default."""
    return build(kind, typed(ctx), ctx.params["config"])


def typed(ctx: typer.Context) -> dict[str, Any]:
    """The settings that were typed."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in ctx.params.items()
        if name not in ("config", "json") and _was_typed(ctx, name)
    }


def _was_typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def stdin_or_given(names: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The sources as given; a piped standard input where none are."""
    if names:
        return tuple(names)
    if sys.stdin is None or sys.stdin.isatty():
        raise usage("no input", hint="name a file, or pipe rows in")
    return ("-",)


def stdin_is_piped() -> bool:
    """Whether rows may be waiting on standard input."""
    if sys.stdin is None or sys.stdin.isatty():
        return False
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):  # not a file at all
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def say(line: str) -> None:
    """One line on stderr; stdout is for data."""
    typer.echo(visible(line), err=True)


def report(line: str, facts: dict[str, Any], as_json: bool) -> None:
    """The command's last word: a line for a person, or an object for a program."""
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False), err=True)
    else:
        say(line)
