"""prepare: raw rows -> records, and the rejected rows with the reason for each."""

from __future__ import annotations

from contextlib import ExitStack

from instructune import files, lineage
from instructune.configs import PrepareConfig
from instructune.jsonl import RowWriter
from instructune.sources import Reading, Tally, read_records


def prepare(config: PrepareConfig) -> Tally:
    """Convert and check every row of the sources; write records; account for each row."""
    _check_places(config)
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


def _check_places(config: PrepareConfig) -> None:
    """Refuse outputs that cannot be made, or would overwrite a source or one another."""
    asked = [name for name in (config.output, config.rejects, config.manifest) if name]
    implied = [] if config.manifest else [f"{config.output}{lineage.SUFFIX}"]
    files.check_outputs(asked + implied)
    for name in asked:
        files.check_creatable(name)
    for name in asked + implied:
        files.check_distinct(config.sources, name)
