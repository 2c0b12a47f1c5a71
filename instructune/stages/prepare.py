"""prepare: raw rows -> records, and the rejected rows with the reason for each."""

from __future__ import annotations

from contextlib import ExitStack

from instructune import files, lineage
from instructune.configs import PrepareConfig
from instructune.jsonl import RowWriter
from instructune.sources import Reading, Tally, read_records


def prepare(config: PrepareConfig) -> Tally:
    """Convert and check every row of the sources; write records; account for each row."""
    outputs = [name for name in (config.output, config.rejects, config.manifest) if name]
    files.check_outputs(outputs)
    for name in outputs:
        files.check_creatable(name)
        files.check_distinct(config.sources, name)
    tally = Tally()
    reading = Reading(config.format, config.field, config.id, config.bad_rows)
    rows = read_records(config.sources, reading, tally, lambda bad: rejects.write(bad._asdict()))
    with ExitStack() as stack:
        records = RowWriter(stack.enter_context(files.open_output(config.output)))
        if config.rejects:
            rejects = RowWriter(stack.enter_context(files.open_output(config.rejects)))
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
    return tally
