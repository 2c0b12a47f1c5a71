"""The command line: commands in, a UserError out as one line on stderr and its exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from instructune import __version__, errors
from instructune.commands import prepare


class Group(TyperGroup):
    """The commands, with what they raise turned into a message and an exit code."""

    def invoke(self, ctx: typer.Context) -> Any:
        """Run a command; a user's error becomes one line and its code."""
        try:
            return super().invoke(ctx)
        except errors.UserError as error:
            _tell(error, ctx)
            raise typer.Exit(int(error.code)) from None
        except MemoryError:
            error = errors.UserError(
                "out of memory",
                hint="try a smaller --batch-size, --micro-batch-tokens or --max-length",
                code=errors.Exit.OUT_OF_MEMORY,
            )
            _tell(error, ctx)
            raise typer.Exit(int(error.code)) from None
        except BrokenPipeError:
            die_by(signal.SIGPIPE)


def _tell(error: errors.UserError, ctx: typer.Context) -> None:
    if "--json" in sys.argv:
        typer.echo(json.dumps(error.as_dict(), ensure_ascii=False), err=True)
    else:
        typer.echo(f"error: {error}", err=True)


def die_by(number: int) -> NoReturn:
    """End by signal `number`, as the shell and `make` expect (141, 143)."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Instruction tuning as Unix filters: rows in, rows out.",
)


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True),
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


app.command()(prepare.prepare)


class Terminated(BaseException):
    """SIGTERM arrived; raised so that temporary files are removed on the way out."""


def _terminate(number: int, frame: Any) -> NoReturn:
    raise Terminated


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app(prog_name="instructune")
    except Terminated:
        die_by(signal.SIGTERM)
