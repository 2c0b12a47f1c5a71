"""The `eval` command."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from instructune.commands import options
from instructune.commands.judging import judge as judge_by
from instructune.configs import EvalConfig
from instructune.errors import Exit, visible
from instructune.metrics import metrics

if TYPE_CHECKING:  # numpy comes with it, and help texts do without
    from instructune.stages.eval import Evaluation

_MOST_FATES = 10  # lines


def evaluate(
    ctx: typer.Context,
    predictions: Annotated[
        str | None, typer.Argument(help="File of predictions, or - for a pipe.")
    ] = EvalConfig.predictions,
    references: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Records with the references, joined by id."),
    ] = EvalConfig.references,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Predictions to compare with, joined by id and sample."),
    ] = EvalConfig.baseline,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE|-", help="Where the summaries go.")
    ] = EvalConfig.output,
    scores: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where rows with their scores go.")
    ] = EvalConfig.scores,
    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.html",
            help="A page of all that was found: verdict, intervals, slices, answers.",
        ),
    ] = EvalConfig.report,
    metric: Annotated[
        list[str],
        typer.Option(
            metavar="NAME[:key=value,…]",
            help=f"Any of {', '.join(metrics.names())}; default: what fits the references. "
            "NAME:help tells its options.",
            autocompletion=metrics.names,
        ),
    ] = list(EvalConfig.metric),  # noqa: B006
    by: Annotated[
        list[str],
        typer.Option(
            metavar="FIELD[,FIELD…]",
            help="Summarise each value of a field, or each combination, as well.",
        ),
    ] = list(EvalConfig.by),  # noqa: B006
    seen: Annotated[
        list[str],
        typer.Option(
            metavar="FILE", help="Rows it was trained on; what shares 13 words is scored apart."
        ),
    ] = list(EvalConfig.seen),  # noqa: B006
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="Rows with one value of it belong together: the unit of intervals and tests.",
        ),
    ] = EvalConfig.cluster,
    adjust: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="P-values for the number of tests made: holm, bh (Benjamini-Hochberg) or none.",
        ),
    ] = EvalConfig.adjust,
    fail_if: Annotated[
        list[str],
        typer.Option(
            metavar="EXPR",
            help="Exit 3 if it holds: METRIC[.value|low|high|delta|delta_low|delta_high|p|"
            "p_adjusted|n|n_errors][@field=value,…] OP NUMBER [surely] [and …]; surely: so for "
            "the whole 95 % interval of value or delta.",
        ),
    ] = list(EvalConfig.fail_if),  # noqa: B006
    gates: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="TOML with more of them: fail-if = [EXPR, …], or [[gate]] tables with fail-if, "
            "name and reason.",
        ),
    ] = EvalConfig.gates,
    undecided: Annotated[
        str,
        typer.Option(
            metavar="pass|fail",
            help="What a gate does that the data cannot decide: it is told, or exits 3.",
        ),
    ] = EvalConfig.undecided,
    junit: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The verdicts as JUnit XML, a test case a gate."),
    ] = EvalConfig.junit,
    judge: Annotated[
        list[str],
        typer.Option(
            metavar="human|ask|FILE",
            help="Compare with the baseline by a person, here; write prompts for a judge to -o; "
            "or read choices and answers to prompts.",
        ),
    ] = list(EvalConfig.judge),  # noqa: B006
    criteria: Annotated[
        str | None,
        typer.Option(metavar="default|FILE.toml", help="With --judge ask: score by criteria."),
    ] = EvalConfig.criteria,
    rater: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --judge human: who you are.")
    ] = EvalConfig.rater,
    resamples: Annotated[
        int | None,
        typer.Option(help="Bootstrap resamples; default 10,000, above 20,000 rows 2,000."),
    ] = EvalConfig.resamples,
    allow_code: Annotated[
        bool,
        typer.Option("--allow-code", help="Let pass_at run the answers as code, in a sandbox."),
    ] = EvalConfig.allow_code,
    seed: options.Seed = EvalConfig.seed,
    manifest: options.Manifest = EvalConfig.manifest,
    config: options.ConfigFile = None,
    json: options.Json = False,
) -> None:
    """Score predictions against references, with intervals, and compare with a baseline."""
    settings = options.settings(ctx, EvalConfig)
    found = _found(settings, json)
    if found is None:
        return
    if not json and sys.stderr.isatty():
        _show(found)
    else:
        lines = [
            *_told(found),
            *_aligned(_cells(found.summaries)),
            *_outlook(found),
            *_fates(found),
            *_fired(found),
        ]
        options.report("\n".join(map(visible, lines)), found.as_dict(), json)
    if any(verdict.fails(settings.undecided) for verdict in found.verdicts):
        raise typer.Exit(int(Exit.GATE))


def _found(settings: EvalConfig, json: bool) -> Evaluation | None:
    """What the predictions or verdicts on them come to; None where `--judge` made verdicts."""
    if settings.judge and settings.judge != ("ask",):  # they may have no predictions beside them
        return judge_by(settings, json)
    given = (settings.predictions,) if settings.predictions else ()
    settings = dataclasses.replace(settings, predictions=options.stdin_or_given(given)[0])
    if settings.judge:
        return judge_by(settings, json)
    from instructune.stages.eval import evaluate as run

    return run(settings)


def _told(found: Evaluation) -> list[str]:
    whole = found.summaries[0]
    counts = (
        f"{whole['n']} of {whole['n_expected']} predictions scored, errors: {whole['n_errors']}"
    )
    notes = [f"  {note}" for note in found.notes]
    return [f"{counts}; metrics chosen by {found.chosen_by}", *notes]


def _fired(found: Evaluation) -> list[str]:
    return [f"gate: {verdict}" for verdict in found.verdicts if verdict.outcome != "passed"]


def _fates(found: Evaluation) -> list[str]:
    """What was kept and lost of each task, the greatest losses first."""
    fates = sorted(found.forgetting, key=lambda fate: fate["gained"] - fate["lost"])
    lines = []
    for fate in fates[:_MOST_FATES]:
        ((field, value),) = fate["by"].items()
        p = _p_value(fate.get("p_adjusted", fate["p"]))
        lines.append(
            f"{field}={value}: {fate['kept']} kept, {fate['lost']} lost, {fate['gained']} gained, "
            f"{fate['missed']} missed (by {fate['metric']}, p {p})"
        )
    more = len(fates) - len(lines)
    return [*lines, f"and {more} more, which lost less"] if more else lines


def _outlook(found: Evaluation) -> list[str]:
    """What the comparison with the baseline could tell, a line a metric."""
    lines = []
    for summary in found.summaries:
        paired = (summary.get("details") or {}).get("paired")
        if summary["by"] or not paired or paired["detectable"] is None:
            continue
        units = "clusters" if "n_clusters" in summary else "ids"
        line = (
            f"{summary['metric']}: with {paired['units']} {units}, a true difference of "
            f"{paired['detectable']:.3f} is found 8 times in 10"
        )
        if paired["needed_n"] is not None:
            line += f"; one of {abs(summary['delta']):.3f} with {paired['needed_n']}"
        lines.append(line)
    return lines


def _cells(summaries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The table as texts, a header first; columns that nobody fills are left out."""
    rows = [_row(summary) for summary in summaries]
    paired = "baseline" in summaries[0]
    unused = {
        "slice": not any(summary["by"] for summary in summaries),
        "clusters": "n_clusters" not in summaries[0],
        "chance": all(summary["chance"] is None for summary in summaries),
        "p adj": sum(summary.get("p_adjusted") is not None for summary in summaries) < 2,
    } | dict.fromkeys(("baseline", "delta", "95%", "p"), not paired)
    shown = [name for name in rows[0] if not unused.get(name)]
    return [shown, *([row[name] for name in shown] for row in rows)]


def _row(summary: Mapping[str, Any]) -> dict[str, str]:
    n, expected = summary["n"], summary["n_expected"]
    return {
        "metric": summary["metric"],
        "slice": " ".join(f"{field}={value}" for field, value in (summary["by"] or {}).items()),
        "value": _number(summary["value"]),
        "95% interval": _pair(summary["ci95"]),
        "n": str(n) if n == expected else f"{n} of {expected}",
        "clusters": str(summary.get("n_clusters")),
        "chance": _number(summary["chance"]),
        "baseline": _number(summary.get("baseline")),
        "delta": _number(summary.get("delta"), "+"),
        "95%": _pair(summary.get("delta_ci95"), "+"),
        "p": _p_value(summary.get("p")),
        "p adj": _p_value(summary.get("p_adjusted")),
    }


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"


def _pair(bounds: Sequence[float] | None, sign: str = "") -> str:
    return "-" if bounds is None else " .. ".join(_number(bound, sign) for bound in bounds)


def _p_value(p: float | None) -> str:
    if p is None:
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _widths(rows: list[list[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _aligned(rows: list[list[str]]) -> list[str]:
    """Columns padded with blanks: names to the left, numbers to the right."""
    widths = _widths(rows)
    texts = sum(head in ("metric", "slice") for head in rows[0])
    return [
        "  ".join(
            cell.ljust(width) if i < texts else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _show(found: Evaluation) -> None:
    """The same on a terminal, where the table stands out."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [[visible(cell) for cell in row] for row in _cells(found.summaries)]
    table = Table(box=None, pad_edge=False)
    for name, width in zip(rows[0], _widths(rows), strict=True):
        table.add_column(
            name,
            justify="left" if name in ("metric", "slice") else "right",
            min_width=width,  # a number is never cut or wrapped
        )
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    console = Console(stderr=True, soft_wrap=True)
    for part in (*_told(found), table, *_outlook(found), *_fates(found), *_fired(found)):
        console.print(Text(visible(part)) if isinstance(part, str) else part)
