"""prepare: raw rows -> records, and the rejected rows with the reason for each."""

from __future__ import annotations

from contextlib import ExitStack

from instructune import files, lineage
from instructune.configs import PrepareConfig
from instructune.jsonl import BadRow, RowWriter
from instructune.sources import Reading, Tally, read_records


def prepare(config: PrepareConfig) -> Tally:
    """Convert and check every row of the sources; write records; account for each row."""
    for name in filter(None, (config.output, config.rejects)):
        files.check_creatable(name)
        files.check_distinct(list(config.sources), name)
    tally = Tally()
    reading = Reading(config.format, config.field, config.id, config.bad_rows)
    with ExitStack() as stack:
        records = RowWriter(stack.enter_context(files.open_output(config.output)))
        reject = None
        if config.rejects:
            rejects = RowWriter(stack.enter_context(files.open_output(config.rejects)))

            def reject(row: BadRow) -> None:
                rejects.write(row._asdict())

        records.write_all(read_records(config.sources, reading, tally, reject))
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
    return tally
