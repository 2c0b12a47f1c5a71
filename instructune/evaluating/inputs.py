"""What `eval` reads: predictions, a baseline, references of both; and where it may not write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from instructune import files
from instructune.errors import usage
from instructune.evaluating import predictions
from instructune.evaluating.predictions import Predictions


@dataclass(frozen=True)
class Inputs:
    """Both systems, joined with the references where there are any; hashes by file; notes."""

    system: Predictions
    baseline: Predictions | None
    hashes: dict[str, str]
    notes: list[str]


def check_places(inputs: Iterable[str | None], outputs: Iterable[str | None]) -> None:
    """Refuse outputs that cannot be written or are inputs too, before anything is read."""
    named = [name for name in inputs if name]
    if named.count(files.STDIO) > 1:
        raise usage("standard input can serve only one of what is read")
    asked = [name for name in outputs if name]
    files.check_outputs(asked)
    for name in asked:
        files.check_creatable(name)
        files.check_distinct(named, name)


def read_inputs(source: str | None, baseline: str | None, references: str | None) -> Inputs:
    """Read the predictions of the file `source` or the pipe, and what they are compared with."""
    names = [source or files.STDIO, *([baseline] if baseline else [])]
    systems = [predictions.read_predictions(name) for name in names]
    hashes = {system.name: system.sha256 for system in systems}
    notes = []
    if references:
        records, tally = predictions.read_references(references)
        hashes |= tally.inputs
        notes = [
            f"{references}: {count} rows read as {name}"
            for name, count in tally.formats.items()
            if name != "record"
        ]
        systems = [predictions.join_references(s, references, records) for s in systems]
    return Inputs(systems[0], systems[1] if baseline else None, hashes, notes)
