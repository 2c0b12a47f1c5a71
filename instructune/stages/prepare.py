"""prepare: raw rows -> records -> transforms -> filters -> sides, each row accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

from instructune import files, lineage, splits
from instructune.configs import PrepareConfig
from instructune.errors import UserError
from instructune.gathering import gather
from instructune.instructions import Instructions
from instructune.jsonl import RowWriter
from instructune.records import Record
from instructune.sources import Reading, Tally, read_records
from instructune.splits import Splitter
from instructune.spool import Spool
from instructune.steps import Change, Steps

_SIDE = "{split}"
Write = Callable[[Record], None]


class Prepared(NamedTuple):
    """Where each row went, rows by file, and what became of the records that were asked about."""

    tally: Tally
    rows: dict[str, int]
    explained: dict[str, list[Change]]


def prepare(config: PrepareConfig) -> Prepared:
    """Convert, change and check every row of the sources; write records; account for each row."""
    shares = splits.shares(config.split) if config.split else {}
    _check_places(config, shares)
    steps = Steps(config.transform, _filters(config))
    templates = [Instructions(spec, config.seed) for spec in config.template]
    tally, explained = Tally(), dict[str, list[Change]]()
    reading = Reading(config.format, config.field, config.id, config.bad_rows)
    with ExitStack() as stack:
        reject = _writer(stack, config.rejects)
        drop = _writer(stack, config.dropped) or (lambda record: None)
        rows = read_records(
            config.sources, reading, tally, lambda bad: reject and reject(bad._asdict())
        )
        if config.explain:
            rows = _explaining(rows, steps, set(config.explain), explained)
        if steps:
            rows = _stepped(rows, steps, tally, drop)
        sided = _SIDE in config.output
        if steps.whole or shares or sided or templates:
            splitter = Splitter(shares, seed=config.seed, exact=config.exact) if shares else None
            spool = stack.enter_context(Spool())
            found = gather(rows, spool, steps.whole.values(), splitter, by_own_split=sided)
            for record in found.dropped(tally):
                drop(record)
            rows = found.instructed(templates, tally) if templates else iter(found)
            shares = shares or dict.fromkeys(sorted(set(found.sides.values())), 0.0)
        names = {side: config.output.replace(_SIDE, side) for side in shares} if sided else {}
        written = _write(rows, config.output, names, stack)
        tally.check()
    _write_manifests(config, tally, written)
    return Prepared(tally, written, explained)


def _filters(config: PrepareConfig) -> list[str]:
    """The filters named, and contamination where `--against` asks for it."""
    if not config.against:
        return list(config.filter)
    against = "+".join(name.replace("+", "\\+").replace(",", "\\,") for name in config.against)
    return [*config.filter, f"contamination:against={against}"]


def _writer(stack: ExitStack, name: str | None) -> Callable[[object], None] | None:
    return RowWriter(stack.enter_context(files.open_output(name))).write if name else None


def _explaining(
    records: Iterator[Record], steps: Steps, asked: set[str], explained: dict[str, list[Change]]
) -> Iterator[Record]:
    """The records as they are; those asked for go through the steps once more, watched."""
    for record in records:
        if record["id"] in asked:
            explained[record["id"]] = list(steps.explained(record))
        yield record
    if missing := asked - explained.keys():
        raise UserError(f"no record has the id {min(missing)!r}", where="--explain")


def _stepped(
    records: Iterator[Record], steps: Steps, tally: Tally, drop: Write
) -> Iterator[Record]:
    """The records that the steps leave, with what they changed and dropped counted."""
    for record in records:
        made = steps.transformed(record, tally.changed)
        tally.out += len(made) - 1
        if len(made) > 1:
            tally.added["made by transforms"] += len(made) - 1
        for new in made:
            reason = steps.reason(new)
            if reason is None:
                yield new
                continue
            tally.out -= 1
            tally.dropped[reason] += 1
            drop(Record(new | {"dropped": reason} | getattr(reason, "facts", {})))


def _write(
    records: Iterable[Record], output: str, names: dict[str, str], stack: ExitStack
) -> dict[str, int]:
    """Write each record to its side's file, or all to one; rows by file."""
    with ExitStack() as outputs:
        writers = {
            name: RowWriter(outputs.enter_context(files.open_output(name)))
            for name in names.values() or [output]
        }
        if names:
            for record in records:
                writers[names[record["split"]]].write(record)
        else:
            writers[output].write_all(records)
        stack.push(outputs.pop_all())
    return {name: writer.rows for name, writer in writers.items()}


def _write_manifests(config: PrepareConfig, tally: Tally, written: dict[str, int]) -> None:
    """A manifest beside each file, last of all; files of one split name their set."""
    more: dict[str, object] = {"counts": tally.as_dict()}
    if _SIDE in config.output:
        more["artifact_set"] = lineage.fingerprint([lineage.plain(config), tally.inputs, written])
    for name, rows in written.items():
        if manifest := lineage.manifest_path(name, config.manifest):
            lineage.write_manifest(
                manifest, artifact=name, rows=rows, config=config, inputs=tally.inputs, **more
            )


def _check_places(config: PrepareConfig, shares: dict[str, float]) -> None:
    """Refuse outputs that cannot be made, or would overwrite a source or one another."""
    outputs = [config.output]
    if _SIDE in config.output:
        outputs = [config.output.replace(_SIDE, side) for side in shares]
    asked = outputs + [n for n in (config.rejects, config.dropped, config.manifest) if n]
    implied = [] if config.manifest else [f"{name}{lineage.SUFFIX}" for name in outputs]
    files.check_outputs(asked + implied)
    for name in asked:
        files.check_creatable(name)
    for name in asked + implied:
        files.check_distinct([*config.sources, *config.against], name)
