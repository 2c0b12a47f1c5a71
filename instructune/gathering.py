"""The second half of `prepare`: what can be decided only when every record was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from instructune.records import Record
from instructune.sources import Tally
from instructune.splits import Splitter, own_sides
from instructune.spool import Spool
from instructune.steps import Reason, WholeFilter


class Gathered:
    """Spooled records with, by number, the reason to drop them and the side they go to."""

    def __init__(self, rows: Spool) -> None:
        self.rows = rows
        self.reasons: dict[int, Reason] = {}
        self.sides: dict[int, str] = {}

    def kept(self) -> list[int]:
        """The numbers of the records that stay, in order."""
        return [number for number in range(len(self.rows)) if number not in self.reasons]

    def dropped(self, tally: Tally) -> Iterator[Record]:
        """The others with their reasons, counted as they pass."""
        for number, reason in sorted(self.reasons.items()):
            tally.out -= 1
            tally.dropped[reason] += 1
            yield Record(self.rows[number] | {"dropped": reason} | reason.facts)

    def __iter__(self) -> Iterator[Record]:
        for number in self.kept():
            record = self.rows[number]
            if number in self.sides:
                record["split"] = self.sides[number]
            yield record


def gather(
    records: Iterable[Record],
    rows: Spool,
    filters: Iterable[WholeFilter],
    splitter: Splitter | None,
    *,
    by_own_split: bool,
) -> Gathered:
    """Spool the records, then let each filter decide in turn; what one dropped, the next may too.

    The first reason counts. Sides are dealt among what is left.
    """
    filters = list(filters)
    for record in records:
        rows.append(record)
        for whole in filters:
            whole.see(record)
        if splitter:
            splitter.see(record)
    found = Gathered(rows)
    for whole in filters:
        found.reasons = whole.reasons(rows) | found.reasons
    if splitter:
        found.sides = splitter.deal(rows, found.kept())
    elif by_own_split:
        found.sides = own_sides(rows, found.kept())
    return found
