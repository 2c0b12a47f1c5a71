"""Files in any known container and row format in, records out, every row accounted for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from instructune.containers import containers
from instructune.conversion import Converter
from instructune.detection import open_rows
from instructune.encodings import checked
from instructune.errors import UserError, usage
from instructune.files import STDIO
from instructune.ids import Ids
from instructune.jsonl import BadRow, Row, as_text, dumps
from instructune.paths import expanded
from instructune.records import Record, fault

_SHOWN = 10  # causes told
_PLACES = 3  # places told of each
_REASON = 1000  # characters of a reason, which may quote the row
_CAUSES = 200  # causes counted apart, which hostile rows could make without end


@dataclass
class Tally:
    """Where each row went: `rows_in + added == out + rejected + dropped`, by cause.

    `changed` counts the records that each kind of change touched.
    """

    rows_in: int = 0
    out: int = 0
    blank: int = 0
    added: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    inputs: dict[str, str] = field(default_factory=dict)
    source: str = ""  # the file that is being read

    def check(self) -> None:
        """Refuse to report numbers that do not add up: that is a bug of ours."""
        left = self.rows_in + self.added.total()
        right = self.out + self.rejected.total() + self.dropped.total()
        if left != right:
            raise AssertionError(f"rows lost: {left} came in or were added, {right} accounted for")

    def as_dict(self) -> dict[str, Any]:
        """The report, with empty causes left out."""
        report: dict[str, Any] = {"rows_in": self.rows_in, "out": self.out}
        for name in ("added", "rejected", "dropped", "changed", "formats", "notes"):
            if counts := getattr(self, name):
                report[name] = dict(counts)
        if self.blank:
            report["blank_lines"] = self.blank
        return report


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
    if list(names).count(STDIO) > 1:
        raise usage("standard input can be read only once", where=STDIO)
    convert = Converter(reading.format, reading.columns(), tally.notes)
    if reading.container:
        containers.configure(reading.container)
    if reading.encoding:
        checked(reading.encoding)
    spare = reject if reading.bad_rows == "quarantine" else None
    return _read(expanded(names), reading, convert, Ids(reading.ids), tally, spare)


def _read(
    names: Sequence[str],
    reading: Reading,
    convert: Converter,
    ids: Ids,
    tally: Tally,
    reject: Callable[[BadRow], None] | None,
) -> Iterator[Record]:
    faults = _Faults()
    for name in names:
        tally.source = name
        for row in _rows(name, reading, tally):
            for made in _records(row, convert, ids, name, tally):
                if isinstance(made, BadRow):
                    tally.rejected[faults.add(made)] += 1
                    if reject:
                        reject(made)
                    continue
                if reject or not faults.first:
                    yield made
                tally.out += 1
    if faults.first and not (reject and tally.out):
        raise faults.error(_hint(reading.bad_rows))
    if not tally.rows_in:
        raise UserError(
            "no rows", where=", ".join(names), hint="a producer that failed leaves an empty pipe"
        )


def _rows(name: str, reading: Reading, tally: Tally) -> Iterator[Row | BadRow]:
    for row in open_rows(name, reading.container, reading.encoding, tally.inputs):
        if row is None:
            tally.blank += 1
        else:
            tally.rows_in += 1
            yield row


def _records(
    row: Row | BadRow, convert: Converter, ids: Ids, name: str, tally: Tally
) -> Iterator[Record | BadRow]:
    """The records of a row, each of several judged on its own, or what is wrong with it."""
    if isinstance(row, BadRow):
        yield row
        return
    try:
        kind, produced = convert(row.value)
    except ValueError as error:
        yield BadRow(row.where, str(error)[:_REASON], as_text(row.text))
        return
    good = 0
    for record in produced:
        try:
            if reason := fault(record):
                raise ValueError(reason)
            record["id"] = ids.give(record, name)
        except ValueError as error:
            text = row.text if len(produced) == 1 else dumps(record)
            yield BadRow(row.where, str(error)[:_REASON], as_text(text))
            continue
        good += 1
        record.setdefault("origin", row.where)
        yield record
    tally.formats[kind] += good > 0
    if len(produced) > 1:
        tally.added["one row, several records"] += len(produced) - 1


class _Faults:
    """Bad rows by cause, with the first few places of each."""

    def __init__(self) -> None:
        self.first: BadRow | None = None
        self.counts: Counter[str] = Counter()
        self.places: dict[str, list[str]] = {}

    def add(self, row: BadRow) -> str:
        """Note a bad row; the cause it is counted under."""
        self.first = self.first or BadRow(row.where, row.reason, "")
        cause = _cause(row.reason)
        if cause not in self.counts and len(self.counts) >= _CAUSES:
            cause = "other reasons"
        self.counts[cause] += 1
        places = self.places.setdefault(cause, [])
        if len(places) < _PLACES:
            places.append(row.where)
        return cause

    def error(self, hint: str) -> UserError:
        """The first fault in full, the others by cause."""
        assert self.first
        lines = [self.first.reason]
        if self.counts.total() > 1:
            lines.append(f"  {self.counts.total()} bad rows in all:")
            for cause, count in list(self.counts.items())[:_SHOWN]:
                places = self.places[cause]
                more = f" and {count - len(places)} more" if count > len(places) else ""
                lines.append(f"    {cause}: {', '.join(places)}{more}")
            if len(self.counts) > _SHOWN:
                lines.append(f"    and {len(self.counts) - _SHOWN} other reasons")
        return UserError(
            "\n".join(lines),
            where=self.first.where,
            hint=hint,
        )


def _hint(bad_rows: str | None) -> str:
    """What to do about bad rows."""
    if bad_rows == "quarantine":
        return "every row is bad, so nothing was written"
    aside = "--bad-rows quarantine --rejects FILE"
    return f"mend them, or use {'' if bad_rows else 'instructune prepare with '}{aside}"


def _cause(reason: str) -> str:
    """The reason without what differs from row to row, so that equal causes count together."""
    general = re.sub(r"'[^']*'|\"[^\"]*\"|\(.*\)|: .*", "…", reason, flags=re.DOTALL)
    return re.sub(r"(?<![\w-])\d[\w.+-]*", "N", general)[:200].strip()
