"""The `prepare` command."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from instructune.commands import options
from instructune.configs import PrepareConfig
from instructune.filters import filters
from instructune.jsonl import dumps
from instructune.reading.steps import Change
from instructune.reading.tally import Tally
from instructune.transforms import transforms


def prepare(
    ctx: typer.Context,
    sources: Annotated[list[str], typer.Argument(help="Files of rows, or - for a pipe.")] = [],  # noqa: B006
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE|-", help="Where the records go; {split} names the side."
        ),
    ] = PrepareConfig.output,
    container: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:key=value,…]", help="How files hold rows; default: told by the file."
        ),
    ] = PrepareConfig.container,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Text encoding, such as gb18030.")
    ] = PrepareConfig.encoding,
    format: options.Format = PrepareConfig.format,
    field: options.FieldMap = list(PrepareConfig.field),  # noqa: B006
    id: Annotated[
        str,
        typer.Option(metavar="own|hash|prefix", help="Keep ids, make them, or prefix the file."),
    ] = PrepareConfig.id,
    transform: Annotated[
        list[str],
        typer.Option(
            metavar="NAME[:key=value,…]",
            help=f"Change records, in the order given: {', '.join(transforms.names())}; "
            "NAME:help tells its options.",
        ),
    ] = list(PrepareConfig.transform),  # noqa: B006
    filter: Annotated[
        list[str],
        typer.Option(
            metavar="NAME[:key=value,…]",
            help=f"Drop records after the transforms: {', '.join(filters.names())}; "
            "NAME:help tells its options.",
        ),
    ] = list(PrepareConfig.filter),  # noqa: B006
    against: Annotated[
        list[str],
        typer.Option(metavar="FILE", help="Drop rows that share 13 words with these test rows."),
    ] = list(PrepareConfig.against),  # noqa: B006
    ask: Annotated[
        str | None,
        typer.Option(
            metavar="paraphrase|new-instruction", help="Make prompts for a model of the rows."
        ),
    ] = PrepareConfig.ask,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take a model's answers in, as marked records.")
    ] = PrepareConfig.accept,
    known: Annotated[
        list[str],
        typer.Option(metavar="FILE", help="With --accept: instructions that new ones must not be."),
    ] = list(PrepareConfig.known),  # noqa: B006
    template: Annotated[
        list[str],
        typer.Option(
            metavar="NAME|FILE[:key=value,…]",
            help="Put labelled rows into words: ner, classification:shots=0+2, my.toml.",
        ),
    ] = list(PrepareConfig.template),  # noqa: B006
    mix: Annotated[
        list[str],
        typer.Option(metavar="SOURCE=WEIGHT", help="A source's share of the rows; one each."),
    ] = list(PrepareConfig.mix),  # noqa: B006
    mix_by: Annotated[
        str,
        typer.Option(
            metavar="rows|words|tokens", help="What --mix counts: tokens are those of --model."
        ),
    ] = PrepareConfig.mix_by,
    mix_total: Annotated[
        int | None, typer.Option(help="Size of the mix; default: until a source runs out.")
    ] = PrepareConfig.mix_total,
    balance: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD[=MOST]", help="As many rows of each value, such as label (first side)."
        ),
    ] = PrepareConfig.balance,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=SHARE,…",
            help="Deal rows to sides; near-duplicates and groups stay together, "
            "augmented rows only on the first.",
        ),
    ] = PrepareConfig.split,
    exact: Annotated[
        bool, typer.Option("--exact", help="Right sizes a label, not by each row's hash alone.")
    ] = PrepareConfig.exact,
    seed: options.Seed = PrepareConfig.seed,
    explain: Annotated[
        list[str],
        typer.Option(metavar="ID", help="Show on stderr what became of a record, step by step."),
    ] = list(PrepareConfig.explain),  # noqa: B006
    bad_rows: options.BadRows = PrepareConfig.bad_rows,
    rejects: options.Rejects = PrepareConfig.rejects,
    dropped: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where dropped records go, with reasons.")
    ] = PrepareConfig.dropped,
    report: Annotated[
        str | None, typer.Option(metavar="FILE.html", help="What became of rows, and of what kind.")
    ] = PrepareConfig.report,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="Lengths in the report in this model's tokens too; --mix-by."
        ),
    ] = PrepareConfig.model,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that share the rows; default: one a processor. Same bytes."),
    ] = PrepareConfig.workers,
    manifest: options.Manifest = PrepareConfig.manifest,
    config: options.ConfigFile = None,
    json: options.Json = False,
) -> None:
    """Turn raw rows of any known format into checked training records.

    The report counts each row that went, by its reason, and tells clusters of duplicates and how
    far annotators agree.
    """
    from instructune.stages.prepare import prepare as run

    settings = options.settings(ctx, PrepareConfig)
    settings = dataclasses.replace(settings, sources=options.stdin_or_given(settings.sources))
    prepared = run(settings)
    for name, changes in prepared.explained.items():
        options.say(_explained(name, changes))
    facts = prepared.tally.as_dict() | prepared.noticed
    if prepared.explained:
        facts["explained"] = {
            name: [change._asdict() for change in changes]
            for name, changes in prepared.explained.items()
        }
    lines = [_told(prepared.tally, prepared.rows), *_noticed(prepared.noticed)]
    if idle := [spec for spec in settings.transform if not prepared.tally.worked[spec]]:
        lines.append(f"  changed nothing: {', '.join(idle)}")
    options.report("\n".join(lines), facts, json)


def _explained(name: str, changes: list[Change]) -> str:
    """What became of a record, field by field."""
    lines = [f"{name}:" + ("" if changes else " unchanged")]
    for change in changes:
        lines.append(f"  {change.step}" + (f": dropped, {change.reason}" if change.reason else ""))
        for after in change.after:
            for key in change.before | after:
                before, now = change.before.get(key), after.get(key)
                if before != now:
                    lines += [f"    - {key}: {_json(before)}", f"    + {key}: {_json(now)}"]
    return "\n".join(lines)


def _json(value: object) -> str:
    return dumps(value).decode()


def _told(tally: Tally, written: dict[str, int]) -> str:
    """`13 rows in = 12 out + 1 rejected (1 not JSON …) -> FILE`, and what else was noticed."""
    parts = [f"{tally.out} out"]
    for name in ("rejected", "dropped"):
        if counts := getattr(tally, name):
            parts.append(f"{counts.total()} {name} ({_listed(counts)})")
    added = f" + {tally.added.total()} added" if tally.added else ""
    if len(written) == 1:
        outputs = next(iter(written))
    else:
        outputs = ", ".join(f"{name} ({rows})" for name, rows in written.items())
    lines = [f"{tally.rows_in} rows in{added} = {' + '.join(parts)} -> {outputs}"]
    lines.append(f"  formats: {_listed(tally.formats)}")
    if tally.changed:
        lines.append(f"  changed: {_listed(tally.changed)}")
    if tally.blank:
        lines.append(f"  {tally.blank} blank lines passed over")
    lines += [f"  {note} ({count} rows)" for note, count in tally.notes.items()]
    return "\n".join(lines)


def _noticed(found: dict[str, Any]) -> Iterator[str]:
    """A line a source of a mix, on clusters of duplicates, and on what annotators make of rows."""
    if mix := found.get("mix"):
        yield from _mixed(mix["sources"], mix["by"])
    if clusters := found.get("duplicate_clusters"):
        largest = clusters["largest"][0]
        told = f"the largest {largest['rows']} rows like {largest['kept']}"
        yield f"  duplicates: {clusters['clusters']} clusters, {told}"
    if agreement := found.get("agreement"):
        alpha = agreement["krippendorff_alpha"]
        told = "" if alpha is None else f", Krippendorff's alpha {alpha:.3f}"
        unlike, rows = agreement["disagreeing"], agreement["compared"]
        yield f"  annotators: {unlike} of {rows} rows with different values{told}"


def _mixed(sources: list[dict[str, Any]], unit: str) -> Iterator[str]:
    """`  mix: 50.0 % a.jsonl, 700 of 2,436 rows, 20 of 90 words`, a line a source."""
    for one in sources:
        told = f"{one['rows']:,} of {one['of_rows']:,} rows"
        if unit != "rows":
            told += f", {one['size']:,} of {one['of_size']:,} {unit}"
        used_up = one["rows"] == one["of_rows"] and len(sources) > 1
        yield f"  mix: {one['share']:.1%} {one['source']}, {told}" + (", all" if used_up else "")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
