"""The second half of `prepare`: what can be decided only when every record was seen."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence

from instructune.errors import UserError
from instructune.instructions import Instructions, label_names
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
        self.first_side: str | None = None

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
        return (self._sided(number) for number in self.kept())

    def _sided(self, number: int) -> Record:
        record = self.rows[number]
        if number in self.sides:
            record["split"] = self.sides[number]
        return record

    def instructed(self, templates: Sequence[Instructions], tally: Tally) -> Iterator[Record]:
        """The records put into words by the first template that fits; chats stay as they are.

        Worked examples come from the first side, never from the record's own group.
        """
        kept = self.kept()
        labels = label_names(self.rows[number] for number in kept)
        pool = [number for number in kept if self.sides.get(number) == self.first_side]
        for number in kept:
            record = self._sided(number)
            if "messages" in record:
                yield record
                continue
            draw = _Draw(self.rows, pool, record)
            made = next(filter(None, (t.build(record, labels, draw) for t in templates)), None)
            if made is None:
                names = ", ".join(template.name for template in templates)
                raise UserError(
                    f"lacks a field that the template needs ({names})",
                    where=record["origin"],
                    hint="name columns with --field, or give a template that fits",
                )
            if len(made) > 1:
                tally.added["one row, several phrasings"] += len(made) - 1
                tally.out += len(made) - 1
            yield from made


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
        found.first_side = next(iter(splitter.sides))
    elif by_own_split:
        found.sides = own_sides(rows, found.kept())
        sides = set(found.sides.values())
        found.first_side = "train" if "train" in sides else min(sides, default=None)
    return found


class _Draw:
    """Draws examples for a record: others, as its id alone decides."""

    def __init__(self, rows: Spool, pool: Sequence[int], record: Record) -> None:
        self.rows, self.pool, self.record = rows, pool, record
        self.random = random.Random(f"examples {record['id']}")

    def __call__(self, count: int, fits: Callable[[Record], bool]) -> list[Record]:
        """`count` records that fit, none of its own group; fewer where there are few."""
        found: list[Record] = []
        most = min(len(self.pool), 8 * count + 8) if count else 0
        for number in self.random.sample(self.pool, most):
            if len(found) == count:
                break
            other = self.rows[number]
            group = self.record.get("group")
            is_other = other["id"] != self.record["id"]
            if is_other and (group is None or other.get("group") != group) and fits(other):
                found.append(other)
        return found
