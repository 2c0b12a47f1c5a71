"""prepare: raw rows -> records -> transforms -> filters, and the reason for each row left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

from instructune import files, lineage
from instructune.configs import PrepareConfig
from instructune.errors import UserError
from instructune.jsonl import RowWriter
from instructune.records import Record
from instructune.sources import Reading, Tally, read_records
from instructune.steps import Change, Steps


class Prepared(NamedTuple):
    """Where each row went, and by id what became of the records that were asked about."""

    tally: Tally
    explained: dict[str, list[Change]]


def prepare(config: PrepareConfig) -> Prepared:
    """Convert, change and check every row of the sources; write records; account for each row."""
    _check_places(config)
    steps = Steps(config.transform, config.filter)
    tally, explained = Tally(), dict[str, list[Change]]()
    reading = Reading(config.format, config.field, config.id, config.bad_rows)
    rows = read_records(config.sources, reading, tally, lambda bad: rejects.write(bad._asdict()))
    if config.explain:
        rows = _explaining(rows, steps, set(config.explain), explained)
    with ExitStack() as stack:
        records = RowWriter(stack.enter_context(files.open_output(config.output)))
        if config.rejects:
            rejects = RowWriter(stack.enter_context(files.open_output(config.rejects)))
        if config.dropped:
            dropped = RowWriter(stack.enter_context(files.open_output(config.dropped)))
        if steps:
            rows = _stepped(rows, steps, tally, dropped.write if config.dropped else None)
        records.write_all(rows)
        tally.check()
    if manifest := lineage.manifest_path(config.output, config.manifest):
        lineage.write_manifest(
            manifest,
            artifact=config.output,
            rows=records.rows,
            config=config,
            inputs=tally.inputs,
            counts=tally.as_dict(),
        )
    return Prepared(tally, explained)


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
    records: Iterator[Record],
    steps: Steps,
    tally: Tally,
    dropped: Callable[[Record], None] | None,
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
            if dropped:
                dropped(Record(new | {"dropped": reason}))


def _check_places(config: PrepareConfig) -> None:
    """Refuse outputs that cannot be made, or would overwrite a source or one another."""
    names = (config.output, config.rejects, config.dropped, config.manifest)
    asked = [name for name in names if name]
    implied = [] if config.manifest else [f"{config.output}{lineage.SUFFIX}"]
    files.check_outputs(asked + implied)
    for name in asked:
        files.check_creatable(name)
    for name in asked + implied:
        files.check_distinct(config.sources, name)
