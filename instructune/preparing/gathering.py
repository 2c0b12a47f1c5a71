"""The second half of `prepare`: what can be decided only when every record was seen."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from instructune.errors import UserError
from instructune.preparing.instructions import Instructions, label_names
from instructune.preparing.mixing import balanced, mixed, told
from instructune.preparing.splits import Splitter, own_sides
from instructune.reading.rowwork import Outcome
from instructune.reading.spool import Spool
from instructune.reading.steps import Gleaner, Reason, WholeFilter
from instructune.reading.tally import Tally
from instructune.records import Record
from instructune.texts import all_text, words


def by_rows(record: Record) -> int:
    """Each row counts as one."""
    return 1


def by_words(record: Record) -> int:
    """A row counts as its words."""
    return len(words(all_text(record)))


class Marks:
    """What is noted of every record: its id, its size in a mix, and whether it is a copy."""

    def __init__(self, size: Callable[[Record], int] | None) -> None:
        self.size = size
        self.ids: list[str] = []
        self.sizes: list[int] = []
        self.copies: list[int] = []

    def glean(self, records: Sequence[Record]) -> Any:
        """As in `Gleaner`."""
        sizes = [self.size(record) for record in records] if self.size else []
        ids = [record["id"] for record in records] if self.size else []
        return ids, sizes, ["augmented" in record for record in records]

    def see(self, gleaned: Any) -> None:
        """As in `Gleaner`."""
        ids, sizes, copies = gleaned
        self.copies += compress(range(self.seen, self.seen + len(copies)), copies)
        self.seen += len(copies)
        self.ids += ids
        self.sizes += sizes

    seen = 0


@dataclass
class Plan:
    """What is to be decided of all records; `typed` names the source that a file was typed as."""

    filters: Sequence[WholeFilter] = ()
    splitter: Splitter | None = None
    by_own_split: bool = False
    shares: Mapping[str, float] = field(default_factory=dict)
    size: Callable[[Record], int] = by_rows
    total: int | None = None
    balance: str | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        self.marks = Marks(self.size if self.shares else None)

    def __bool__(self) -> bool:
        wanted = (self.filters, self.splitter, self.by_own_split, self.shares, self.balance)
        return any(wanted)

    def gleaners(self) -> list[Gleaner]:
        """What must see every record, in the order of what an outcome has `gleaned`."""
        return [self.marks, *self.filters, *([self.splitter] if self.splitter else [])]


class Gathered:
    """Spooled records with, by number, the reason to drop them and the side they go to."""

    def __init__(self, rows: Spool) -> None:
        self.rows = rows
        self.reasons: dict[int, Reason] = {}
        self.sides: dict[int, str] = {}
        self.first_side: str | None = None
        self.mix: list[dict[str, Any]] = []  # what each source gives, as `mixing.told`

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
                needed = "; ".join(f"{t.name}: {', '.join(sorted(t.needs))}" for t in templates)
                raise UserError(
                    f"lacks a field that the template needs ({needed})",
                    where=record["origin"],
                    hint="name columns with --field, or give a template that fits",
                )
            if len(made) > 1:
                tally.added["one row, several phrasings"] += len(made) - 1
                tally.out += len(made) - 1
            yield from made


def gather(outcomes: Iterable[Outcome], rows: Spool, plan: Plan) -> Gathered:
    """Spool the records, then let each filter decide in turn; the first reason counts.

    The mix is made of what they leave, sides are dealt among what it leaves, and labels are
    balanced on the first side alone: a test set keeps the labels as they come, and holds no
    augmented rows.
    """
    sources: list[str] = []
    found = Gathered(rows)
    for outcome in outcomes:
        for made in outcome.made:
            rows.append(made)  # type: ignore[arg-type]
        for gleaner, gleaned in zip(plan.gleaners(), outcome.gleaned, strict=True):
            gleaner.see(gleaned)
        if plan.shares:
            sources += [plan.typed[outcome.source]] * (len(rows) - len(sources))
    for whole in plan.filters:
        found.reasons = whole.reasons(rows) | found.reasons
    if plan.shares:
        kept = found.kept()
        sizes = {number: plan.marks.sizes[number] for number in kept}
        of = {number: sources[number] for number in kept}
        order = dict(enumerate(plan.marks.ids))
        gone = mixed(sizes, of, plan.shares, plan.total, order, plan.seed)
        found.mix = told(sizes, of, gone, plan.shares)
        found.reasons |= gone
    _deal(found, plan)
    if plan.balance:
        name, _, most = plan.balance.partition("=")
        first = [n for n in found.kept() if found.sides.get(n) == found.first_side]
        found.reasons |= balanced(rows, first, name, int(most) if most else None, plan.seed)
    return found


def _deal(found: Gathered, plan: Plan) -> None:
    if plan.splitter:
        found.sides = plan.splitter.deal(found.rows, found.kept())
        found.first_side = next(iter(plan.splitter.sides))
    elif plan.by_own_split:
        found.sides = own_sides(found.rows, found.kept())
        sides = set(found.sides.values())
        found.first_side = "train" if "train" in sides else min(sides, default=None)
    for number in plan.marks.copies:
        if found.sides.get(number, found.first_side) != found.first_side:
            del found.sides[number]
            found.reasons[number] = Reason("augmented, so for the first side alone")


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
