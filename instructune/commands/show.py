"""The `show` command."""

from __future__ import annotations

import json as jsonlib
import shutil
from typing import TYPE_CHECKING, Annotated, Any

import typer

from instructune.attribution.explanations import is_explanation, lines
from instructune.commands import options
from instructune.commands.tables import print_tables
from instructune.configs import ShowConfig
from instructune.errors import visible
from instructune.preparing import agreement as agreements
from instructune.preparing import overview

if TYPE_CHECKING:
    from instructune.evaluating.comparing import Answered, Comparison
    from instructune.stages.show import MaskView, ProfileView, RunView

_LEVELS = "▁▂▃▄▅▆▇█"
_LABEL = 13  # columns of a name: finish_reason is the longest of ours
_LONGEST = 600  # characters of an answer beside another


def show(
    ctx: typer.Context,
    path: Annotated[
        str, typer.Argument(help="A run directory or a file, or - for a pipe.")
    ] = ShowConfig.path,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Rows to show.")] = ShowConfig.limit,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Predictions of before; shows what became different."),
    ] = ShowConfig.baseline,
    html: Annotated[
        str | None,
        typer.Option(metavar="OUT.html", help="Write explanations of predictions as a page."),
    ] = ShowConfig.html,
    profile: Annotated[
        bool,
        typer.Option(
            "--profile",
            help="Counts instead of rows: fields, lengths, tasks, languages, labels, sources, "
            "duplicates, agreement of annotators.",
        ),
    ] = ShowConfig.profile,
    disagreements: Annotated[
        bool,
        typer.Option(
            "--disagreements", help="How far annotators agree, and rows on which they do not."
        ),
    ] = ShowConfig.disagreements,
    mask: Annotated[
        bool, typer.Option("--mask", help="Tokens as train sees them, learned ones in brackets.")
    ] = ShowConfig.mask,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="MODEL", help="Whose tokens: --mask, --profile."),
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
    """Look at rows or what they are, what train learns, changed answers, or a run's loss curve."""
    from instructune.evaluating.comparing import Comparison
    from instructune.stages.show import (
        AgreementView,
        DocumentView,
        MaskView,
        PageView,
        ProfileView,
        RunView,
    )
    from instructune.stages.show import show as run

    view = run(options.settings(ctx, ShowConfig))
    if json:
        typer.echo(jsonlib.dumps(_plain(view)))  # ASCII, so that no terminal is driven by it
    elif isinstance(view, RunView):
        _print_run(view)
    elif isinstance(view, Comparison):
        _print_comparison(view)
    elif isinstance(view, MaskView):
        _print_mask(view)
    elif isinstance(view, ProfileView):
        _print_profile(view)
    elif isinstance(view, AgreementView):
        print_tables(agreements.tables(view.agreement))
    elif isinstance(view, PageView):
        options.say(f"{view.explained} explained predictions -> {view.page}")
    elif isinstance(view, DocumentView):
        text = jsonlib.dumps(view.document, ensure_ascii=False, indent=2)
        typer.echo(text if visible(text) == text else jsonlib.dumps(view.document, indent=2))
    else:
        for where, row in view.rows:
            typer.echo(visible(where))
            for key, value in row.items():
                _print_field(key, value)


def _plain(value: Any) -> Any:
    """Named tuples as objects."""
    if hasattr(value, "_asdict"):
        return {key: _plain(item) for key, item in value._asdict().items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _print_profile(view: ProfileView) -> None:
    facts = view.profile
    typer.echo(f"{facts['rows']:,} rows, {facts['duplicates']:,} say what an earlier one says")
    print_tables(overview.tables(facts))
    if gaps := len(facts["gaps"]):
        typer.echo(f"{gaps:,} other combinations of values that occur have no row")
    if view.agreement:
        print_tables(agreements.tables(view.agreement))


def _print_mask(view: MaskView) -> None:
    for where, tokens in view.sequences:
        learned = sum(is_learned for _, is_learned in tokens)
        typer.echo(f"{visible(where)}  {len(tokens)} tokens, {learned} learned")
        typer.echo("  " + " ".join(_token(*token) for token in tokens))


def _token(text: str, learned: bool) -> str:
    return f"[{visible(text)}]" if learned else visible(text)


def _print_field(key: str, value: Any) -> None:
    if key == "messages" and isinstance(value, list) and all(isinstance(m, dict) for m in value):
        for message in value:
            body = message.get("content") or _text(message.get("tool_calls"))
            _print_labelled(str(message.get("role")), _text(body))
    elif key == "explanation" and is_explanation(value):
        _print_labelled(key, "\n".join(lines(value)))
    else:
        _print_labelled(key, _text(value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)


def _print_labelled(label: str, text: str) -> None:
    indent = "\n" + " " * (_LABEL + 4)
    typer.echo(f"  {visible(label):>{_LABEL}}  {visible(text).replace(chr(10), indent)}")


def _print_comparison(view: Comparison) -> None:
    for row in view.shown:
        sample = f"  sample {row.sample}" if row.sample else ""
        typer.echo(f"{visible(row.id)}{sample}")
        _print_labelled("question", _short(row.question))
        for reference in row.references:
            _print_labelled("reference", _short(_text(reference)))
        _print_labelled("before", _answer(row.before))
        _print_labelled("after", _answer(row.after))
    known = f": {view.gained} became right, {view.lost} wrong" if view.gained + view.lost else ""
    typer.echo(f"{view.different} of {view.rows} answers differ{known}")
    if view.unmatched:
        typer.echo(f"{view.unmatched} answers are in one file only")


def _answer(answer: Answered) -> str:
    mark = {True: "✓ ", False: "✗ ", None: ""}[answer.right]
    if answer.error is not None:
        return f"{mark}({_short(answer.error)})"
    return mark + _short(_text(answer.prediction))


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"


def _print_run(view: RunView) -> None:
    document, resolved = view.document, view.document.get("resolved", {})
    base, objective, method = (document.get(name) for name in ("base", "objective", "method"))
    typer.echo(visible(f"{base}, {objective} by {method}"))
    step = view.losses[-1][0] if view.losses else 0
    trained, whole = (resolved.get(f"{name}parameters", 0) for name in ("trainable_", ""))
    share = f" ({trained / whole:.2%})" if whole else ""
    told = f"{view.state}: {step} of {resolved.get('steps', '?')} steps"
    typer.echo(visible(f"  {told}, {trained:,} parameters trained{share}"))
    for name, points in (("loss", view.losses), ("eval loss", view.eval_losses)):
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
