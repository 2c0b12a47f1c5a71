"""Files in any known container and row format in, records out, every row accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from instructune.containers import containers
from instructune.errors import UserError, usage
from instructune.files import STDIO
from instructune.jsonl import BadRow
from instructune.reading import workers
from instructune.reading.blocks import Block
from instructune.reading.conversion import Converter
from instructune.reading.detection import open_blocks
from instructune.reading.encodings import checked
from instructune.reading.paths import expanded
from instructune.reading.rowwork import Outcome, Remembered, RowWork
from instructune.reading.steps import Gleaner, Steps
from instructune.reading.tally import Faults, Tally
from instructune.records import Record


@dataclass(frozen=True)
class Reading:
    """How rows become records: the part of every step's settings that concerns its input."""

    format: str | None = None
    field: tuple[str, ...] = ()
    ids: str = "own"
    bad_rows: str | None = None  # None for a step that can only fail
    container: str | None = None
    encoding: str | None = None

    def columns(self) -> dict[str, str]:
        """`--field name=column` as {column: name}."""
        renames: dict[str, str] = {}
        for pair in self.field:
            name, sign, column = pair.partition("=")
            if not (name and sign and column):
                raise usage(f"expected name=column, got {pair!r}", where="--field")
            if column in renames or name in renames.values():
                raise usage(f"{pair!r} maps a name or column a second time", where="--field")
            renames[column] = name
        return renames


def read_records(
    names: Sequence[str],
    reading: Reading,
    tally: Tally,
    reject: Callable[[BadRow], None] | None = None,
) -> Iterator[Record]:
    """Yield the records of all sources in order: files, directories, patterns, a pipe.

    A bad row raises after the rest was scanned, so the message can count; with
    `bad_rows="quarantine"` each goes to `reject` instead. No rows at all, or none that is good,
    is an error. Wrong settings raise at once, before anything is read.
    """
    outcomes = read_outcomes(names, reading, tally, Steps(), reject=reject)
    return (record for outcome in outcomes for record in outcome.made)  # type: ignore[misc]


def read_outcomes(
    names: Sequence[str],
    reading: Reading,
    tally: Tally,
    steps: Steps,
    *,
    explain: Sequence[str] = (),
    gleaners: Sequence[Gleaner] = (),
    reject: Callable[[BadRow], None] | None = None,
    processes: int = 1,
) -> Iterator[Outcome]:
    """The same, block by block, and through the steps; `processes` share the work.

    What an outcome has `made` are records, encoded where another process made them, with what
    each of `gleaners` needs of them.
    """
    if list(names).count(STDIO) > 1:
        raise usage("standard input can be read only once", where=STDIO)
    convert = Converter(reading.format, reading.columns())
    work = RowWork(convert, reading.ids, steps, explain, gleaners)
    if reading.container:
        containers.configure(reading.container)
    if reading.encoding:
        checked(reading.encoding)
    spare = reject if reading.bad_rows == "quarantine" else None
    found = expanded(names)
    blocks = _blocks(found, reading, tally)
    outcomes = workers.outcomes(blocks, work, Remembered(steps), processes)
    return _judged(outcomes, found, reading, tally, spare)


def _blocks(names: Sequence[str], reading: Reading, tally: Tally) -> Iterator[Block]:
    for name in names:
        yield from open_blocks(name, reading.container, reading.encoding, tally.inputs)


def _judged(
    outcomes: Iterator[Outcome],
    names: Sequence[str],
    reading: Reading,
    tally: Tally,
    reject: Callable[[BadRow], None] | None,
) -> Iterator[Outcome]:
    """The outcomes without their bad rows, and after the first of these nothing to go on with."""
    faults = Faults()
    for outcome in outcomes:
        tally.merge(outcome.tally)
        good = []
        for made in outcome.made:
            if isinstance(made, BadRow):
                tally.rejected[faults.add(made)] += 1
                if reject:
                    reject(made)
            elif reject or not faults.first:
                good.append(made)
        outcome.made[:] = good
        yield outcome
    if faults.first and not (reject and tally.out + tally.dropped.total()):
        raise faults.error(_hint(reading.bad_rows))
    if not tally.rows_in:
        raise UserError(
            "no rows", where=", ".join(names), hint="a producer that failed leaves an empty pipe"
        )


def _hint(bad_rows: str | None) -> str:
    """What to do about bad rows."""
    if bad_rows == "quarantine":
        return "every row is bad, so nothing was written"
    aside = "--bad-rows quarantine --rejects FILE"
    return f"mend them, or use {'' if bad_rows else 'instructune prepare with '}{aside}"
