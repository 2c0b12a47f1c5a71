"""`eval --judge`: questions to a person in the terminal, prompts for a model, verdicts read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from instructune.commands import options
from instructune.commands.options import say
from instructune.configs import EvalConfig
from instructune.errors import visible

if TYPE_CHECKING:
    from instructune.judges.choosing import Shown
    from instructune.stages.eval import Evaluation

_KEYS = {"a": "a", "b": "b", "t": "tie", "s": "skip", "q": "quit"}
_LINES = _KEYS | {"tie": "tie", "skip": "skip", "quit": "quit"}
_ASKED = "better: a | b | t(ie) | s(kip) | q(uit)? "
_END_OF_INPUT = ("\x04", "\x1a")


def judge(settings: EvalConfig, json: bool) -> Evaluation | None:
    """Do what `--judge` asks; what verdicts come to is the caller's to show."""
    from instructune.stages.judge import ASK, HUMAN, ask_person, mode, write_prompts

    found = mode(settings)
    if found == HUMAN:
        report = ask_person(settings, _ask)
        line = f"{report['chosen']} of {report['of']} pairs chosen -> {settings.output}"
        if report["chosen"] < report["of"]:
            line += "; the same command goes on from there"
        options.report(line, report, json)
        return None
    if found == ASK:
        report = write_prompts(settings)
        line = f"{report['prompts']} prompts about {report['pairs']} rows -> {settings.output}"
        if report["settled"]:
            line += f"; {report['settled']} settled by rule (no answer, or equal answers)"
        options.report(f"{line}; next: generate {settings.output} -m JUDGE", report, json)
        return None
    from instructune.stages.verdicts import evaluate_verdicts

    return evaluate_verdicts(settings)


def _ask(shown: Shown) -> str:
    """Show a pair on stderr, and take a key or a line that decides it."""
    say("\n".join(["", f"== {shown.number} of {shown.of}", *_told(shown)]))
    while True:
        typer.echo(_ASKED, err=True, nl=False)
        if (key := _answer()) is not None:
            return key


def _told(shown: Shown) -> list[str]:
    """Each text behind a margin, which nothing in it can leave."""
    texts = [("Q", shown.question), ("A", shown.a), ("B", shown.b)]
    if shown.reference is not None:
        texts.insert(1, ("ok", shown.reference))
    lines = []
    for name, text in texts:
        held = visible(text).replace("\t", "    ").split("\n")
        lines += [f"{name:>2} | {line}" for line in held] + [""]
    return lines


def _answer() -> str | None:
    """What was decided; None for what is no answer. The end of the input is a rater who leaves."""
    if sys.stdin is not None and sys.stdin.isatty():
        try:
            pressed = typer.getchar()
        except EOFError:
            pressed = "q"
        key = "quit" if pressed in _END_OF_INPUT else _KEYS.get(pressed.lower())
        typer.echo(key or "", err=True)
        return key
    line = sys.stdin.readline() if sys.stdin is not None else ""
    typer.echo("", err=True)
    return _LINES.get(line.strip().lower()) if line else "quit"
