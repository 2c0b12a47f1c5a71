"""The command line: commands in, a UserError out as one line on stderr and its exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from instructune import __version__
from instructune.commands.eval import evaluate
from instructune.commands.generate import generate
from instructune.commands.prepare import prepare
from instructune.commands.show import show
from instructune.commands.sweep import sweep
from instructune.commands.train import train
from instructune.errors import Exit, Signalled, Told, UserError, usage, visible

COMMANDS = {
    "prepare": prepare,
    "train": train,
    "generate": generate,
    "eval": evaluate,
    "sweep": sweep,
    "show": show,
}


class Command(TyperCommand):
    """A command whose failures come out as a message, or as JSON, and an exit code."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        """Parse the command's arguments."""
        # a line that does not parse has no better sign of how to complain about it
        as_json = "--json" in args
        try:
            return super().make_context(info_name, args, *rest, **extra)
        except typer.TyperException as error:
            if not as_json:
                raise
            _fail(usage(error.format_message()), as_json=True)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        as_json = bool(ctx.params.get("json"))
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
            return result
        except Told as told:
            typer.echo(visible(told.text))
        except UserError as error:
            _fail(error, as_json)
        except MemoryError:
            _fail(
                UserError(
                    "out of memory",
                    hint="try a smaller --batch-size, --micro-batch-tokens or --max-length",
                    code=Exit.OUT_OF_MEMORY,
                ),
                as_json,
            )


class Group(TyperGroup):
    """The commands; a closed pipe and Ctrl-C end them as signals do."""

    def make_context(self, *given: Any, **extra: Any) -> Any:
        """Parse what stands before the command, or print help."""
        with _as_signals():
            return super().make_context(*given, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Find the command and run it."""
        with _as_signals():
            return super().invoke(ctx)


@contextmanager
def _as_signals() -> Iterator[None]:
    """Typer would turn a closed pipe into exit code 1."""
    try:
        yield
    except BrokenPipeError:
        raise Signalled(signal.SIGPIPE) from None
    except KeyboardInterrupt:
        raise Signalled(signal.SIGINT) from None


def _fail(error: UserError, as_json: bool) -> NoReturn:
    if as_json:
        text = json.dumps(error.as_dict(), ensure_ascii=False)
    else:
        text = visible(f"error: {error}")
    typer.echo(text, err=True)
    raise typer.Exit(int(error.code)) from None


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Instruction tuning as Unix filters: rows in, rows out.",
)
for _name, _command in COMMANDS.items():
    app.command(_name, cls=Command)(_command)  # type: ignore[type-var]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", help="Print the version.", is_eager=True, callback=_version
    ),
) -> None:
    pass


def die_by(number: int) -> NoReturn:
    """End by signal `number`, as the shell and `make` expect (141, 143)."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)


def _signalled(number: int, frame: Any) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once
    raise Signalled(number)


def main() -> None:
    """Run the command line."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores one
            signal.signal(number, _signalled)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        try:
            app(prog_name="instructune")
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except Signalled as stop:
        if stop.message:
            typer.echo(visible(stop.message), err=True)
        die_by(stop.number)
    except BrokenPipeError:
        die_by(signal.SIGPIPE)
    except OSError as error:
        from instructune.commits import DISK_ERRORS, io_error

        if error.errno not in DISK_ERRORS:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left would be tried again at exit
        typer.echo(f"error: {io_error(error, 'standard output')}", err=True)
        sys.exit(int(Exit.IO))
