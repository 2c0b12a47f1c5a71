"""The `prepare` command."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from instructune.commands import options
from instructune.configs import PrepareConfig
from instructune.sources import Tally


def prepare(
    ctx: typer.Context,
    sources: Annotated[list[str], typer.Argument(help="Files of rows, or - for a pipe.")] = [],  # noqa: B006
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE|-", help="Where the records go.")
    ] = PrepareConfig.output,
    format: options.Format = PrepareConfig.format,
    field: options.FieldMap = list(PrepareConfig.field),  # noqa: B006
    id: Annotated[
        str,
        typer.Option(metavar="own|hash|prefix", help="Keep ids, make them, or prefix the file."),
    ] = PrepareConfig.id,
    bad_rows: options.BadRows = PrepareConfig.bad_rows,
    rejects: options.Rejects = PrepareConfig.rejects,
    manifest: options.Manifest = PrepareConfig.manifest,
    config: options.ConfigFile = None,
    json: options.Json = False,
) -> None:
    """Turn raw rows of any known format into checked training records."""
    from instructune.stages.prepare import prepare as run

    settings = options.settings(ctx, PrepareConfig)
    settings = dataclasses.replace(settings, sources=options.stdin_or_given(settings.sources))
    tally = run(settings)
    options.report(_told(tally, settings.output), tally.as_dict(), json)


def _told(tally: Tally, output: str) -> str:
    """`13 rows in = 12 out + 1 rejected (1 not JSON …) -> FILE`, and what else was noticed."""
    parts = [f"{tally.out} out"]
    for name in ("rejected", "dropped"):
        if counts := getattr(tally, name):
            parts.append(f"{counts.total()} {name} ({_listed(counts)})")
    added = f" + {tally.added.total()} added" if tally.added else ""
    lines = [f"{tally.rows_in} rows in{added} = {' + '.join(parts)} -> {output}"]
    lines.append(f"  formats: {_listed(tally.formats)}")
    if tally.blank:
        lines.append(f"  {tally.blank} blank lines passed over")
    lines += [f"  {note} ({count} rows)" for note, count in tally.notes.items()]
    return "\n".join(lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
