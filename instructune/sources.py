"""Files in any known container and row format in, records out, every row accounted for."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instructune.containers import containers
from instructune.errors import Exit, UserError
from instructune.files import Input, open_input
from instructune.formats import formats
from instructune.jsonl import BadRow, Row, dumps
from instructune.records import DESCRIPTIVE, FIELDS, Record, content_id, fault

_SHOWN = 10  # causes told


@dataclass
class Tally:
    """Where each row went: `rows_in + added == out + rejected + dropped`, by cause."""

    rows_in: int = 0
    out: int = 0
    blank: int = 0
    added: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    inputs: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse to report numbers that do not add up: that is a bug of ours."""
        left = self.rows_in + self.added.total()
        right = self.out + self.rejected.total() + self.dropped.total()
        if left != right:
            raise AssertionError(f"rows lost: {left} came in or were added, {right} accounted for")

    def as_dict(self) -> dict[str, Any]:
        """The report, with empty causes left out."""
        report: dict[str, Any] = {"rows_in": self.rows_in, "out": self.out}
        for name in ("added", "rejected", "dropped", "formats", "notes"):
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
    bad_rows: str = "fail"

    def columns(self) -> dict[str, str]:
        """`--field name=column` as {column: name}."""
        renames = {}
        for pair in self.field:
            name, sign, column = pair.partition("=")
            if not (name and sign and column):
                raise UserError(
                    f"expected name=column, got {pair!r}", where="--field", code=Exit.USAGE
                )
            renames[column] = name
        return renames


def read_records(
    names: Sequence[str],
    reading: Reading,
    tally: Tally,
    reject: Callable[[BadRow], None] | None = None,
) -> Iterator[Record]:
    """Yield the records of all sources in order.

    A bad row raises after the rest was scanned, so the message can count; with
    `bad_rows="quarantine"` each goes to `reject` instead. No rows at all is an error.
    """
    ids = _Ids(reading.ids)
    convert = _Converter(reading)
    bad: list[BadRow] = []
    for name in names:
        for row in _rows(name, tally):
            try:
                produced = _records(row, convert, ids, name, tally)
            except ValueError as error:
                row = BadRow(row.where, str(error), _text_of(row))
            else:
                if len(produced) > 1:
                    tally.added["one row, several records"] += len(produced) - 1
                if not bad:
                    yield from produced
                tally.out += len(produced)
                continue
            tally.rejected[_cause(row.reason)] += 1
            if reading.bad_rows == "quarantine" and reject:
                reject(row)
            else:
                bad.append(row)
    if bad:
        raise _bad_rows(bad)
    if not tally.rows_in:
        raise UserError(
            "no rows", where=", ".join(names), hint="a producer that failed leaves an empty pipe"
        )


def _rows(name: str, tally: Tally) -> Iterator[Row | BadRow]:
    with open_input(name) as source:
        for row in _container(source).read(source.stream, name):
            if row is None:
                tally.blank += 1
            else:
                tally.rows_in += 1
                yield row
        tally.inputs[name] = source.sha256()
        source.check_unchanged()


def _container(source: Input) -> Any:
    """By extension where it is known and honest, else by the first bytes."""
    suffixes = [s for s in Path(source.name).suffixes if s not in (".gz", ".zst")]
    suffix = suffixes[-1] if suffixes else ""
    head = source.stream.peek(4096)[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")  # type: ignore[attr-defined]
    if suffix in containers.facts("jsonl")["EXTENSIONS"]:
        return containers["jsonl"]
    if head[:1] == b"[":
        return containers["json"]
    first, line_end, rest = head.partition(b"\n")
    pretty_printed = line_end and rest.strip() and not first.rstrip().endswith(b"}")
    one_document = suffix in containers.facts("json")["EXTENSIONS"] and pretty_printed
    return containers["json" if one_document else "jsonl"]


def _records(
    row: Row | BadRow, convert: _Converter, ids: _Ids, name: str, tally: Tally
) -> list[Record]:
    if isinstance(row, BadRow):
        raise ValueError(row.reason)
    kind, produced = convert(row.value, tally)
    for record in produced:
        if reason := fault(record):
            raise ValueError(reason)
        record["id"] = ids.give(record, name)
        record.setdefault("origin", row.where)
    tally.formats[kind] += 1
    return produced


def _cause(reason: str) -> str:
    """The reason without what differs from row to row, so that equal causes count together."""
    return re.sub(r"\d+", "N", re.sub(r"'[^']*'|\(.*\)|: .*", "…", reason)).strip()


def _text_of(row: Row | BadRow) -> str:
    if isinstance(row, BadRow):
        return row.text
    return dumps(row.value).decode()


def _bad_rows(bad: list[BadRow]) -> UserError:
    """The first fault in full, the others by cause with the first few places of each."""
    first = bad[0]
    places: dict[str, list[str]] = {}
    for row in bad:
        places.setdefault(_cause(row.reason), []).append(row.where)
    lines = [first.reason]
    if len(bad) > 1:
        lines.append(f"  {len(bad)} bad rows in all:")
    for cause, where in list(places.items())[:_SHOWN] if len(bad) > 1 else ():
        more = f" and {len(where) - 3} more" if len(where) > 3 else ""
        lines.append(f"    {cause}: {', '.join(where[:3])}{more}")
    return UserError(
        "\n".join(lines),
        where=first.where,
        hint="mend them, or use --bad-rows quarantine --rejects FILE",
    )


class _Converter:
    """Rows to records, each by the format its keys tell."""

    def __init__(self, reading: Reading) -> None:
        self.columns = reading.columns()
        self.fixed = reading.format
        if self.fixed:
            formats[self.fixed]  # an unknown name fails before the first row
        self._known: dict[frozenset[str], str] = {}

    def __call__(self, row: Mapping[str, Any], tally: Tally) -> tuple[str, list[Record]]:
        if self.columns:
            row = self._renamed(row)
        keys = frozenset(row)
        name = self.fixed or self._known.get(keys) or self._recognise(keys)
        module = formats[name]
        try:
            produced = module.convert(row)
        except KeyError as error:
            raise ValueError(
                f"{name} row has no field {error.args[0]!r}: name the column with "
                f"--field {error.args[0]}=COLUMN, or choose another --format"
            ) from None
        rest = [key for key in row if key not in module.TAKES]
        return name, [self._with_rest(record, row, rest, tally) for record in produced]

    def _renamed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        for column, name in self.columns.items():
            if column not in row:
                raise ValueError(f"has no column {column!r}, named in --field {name}={column}")
        return {self.columns.get(key, key): value for key, value in row.items()}

    def _recognise(self, keys: frozenset[str]) -> str:
        if formats["record"].recognises(keys):
            found = ["record"]
        else:
            found = [n for n in formats.names() if n != "record" and formats[n].recognises(keys)]
        if len(found) == 1:
            self._known[keys] = found[0]
            return found[0]
        if found:
            raise ValueError(
                f"could be {' or '.join(found)}: say which with --format (keys: {_list(keys)})"
            )
        raise ValueError(
            f"no known format has the keys {_list(keys)}: name one with --format "
            f"({', '.join(formats.names())}) and its columns with --field name=column"
        )

    @staticmethod
    def _with_rest(
        converted: dict[str, Any], row: Mapping[str, Any], rest: list[str], tally: Tally
    ) -> Record:
        """Unknown columns go along; reserved names that nobody mapped go under `fields`."""
        record = Record()
        if (own := row.get("id")) is not None:
            record["id"] = str(own) if type(own) is int else own
        record.update(converted)
        for key in rest:
            field = FIELDS.get(key)
            if key == "id":
                continue
            if field is None or (key in DESCRIPTIVE and not field.check(row[key])):
                record[key] = row[key]
            else:
                record.setdefault("fields", {})[key] = row[key]
                tally.notes[f"column {key!r} kept as fields.{key}"] += 1
        return record


def _list(keys: frozenset[str]) -> str:
    shown = sorted(keys)[:12]
    return ", ".join(shown) + (" …" if len(keys) > 12 else "")


class _Ids:
    """Gives each record an id unique in the output, remembering 64 bits of each."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._seen = _HashSet()
        self._repeats: Counter[str] = Counter()

    def give(self, record: Record, source: str) -> str:
        own = record.get("id")
        if not own or self.mode == "hash":
            return self._unique(content_id(record))
        if self.mode == "prefix":
            own = f"{Path(source).name.partition('.')[0]}:{own}"
        if not self._seen.add(own):
            raise ValueError(f"id {own!r} is repeated (--id hash or --id prefix makes new ones)")
        return own

    def _unique(self, name: str) -> str:
        if self._seen.add(name):
            return name
        self._repeats[name] += 1
        return self._unique(f"{name}-{self._repeats[name] + 1}")


class _HashSet:
    """A set of strings by 64-bit hash, in about 20 bytes a string.

    Two strings share a hash with probability n^2 / 2^65: 3e-8 at a million rows.
    """

    def __init__(self) -> None:
        self._slots, self._used = array("Q", bytes(8 * 1024)), 0

    def add(self, text: str) -> bool:
        """Add `text`; False if it was there."""
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        if not self._insert(int.from_bytes(digest, "little") or 1):
            return False
        self._used += 1
        if self._used * 3 > len(self._slots) * 2:
            self._grow()
        return True

    def _insert(self, value: int) -> bool:
        slots = self._slots
        mask = len(slots) - 1
        i = value & mask
        while slots[i]:
            if slots[i] == value:
                return False
            i = (i + 1) & mask
        slots[i] = value
        return True

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(16 * len(old)))
        for value in old:
            if value:
                self._insert(value)
