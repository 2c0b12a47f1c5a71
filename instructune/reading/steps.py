"""Transforms and filters as named on the command line, applied to each record and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple, Protocol, runtime_checkable

from instructune.filters import filters
from instructune.reading.spool import Spool
from instructune.records import Record, fault
from instructune.transforms import transforms

Transform = Callable[[Record, "Counter[str]"], list[Record]]
Filter = Callable[[Record], str | None]


class Question(NamedTuple):
    """What work on a block yields to be told what depends on the blocks before.

    Part 0 of what is remembered are the ids, then come the filters that remember, in their order.
    """

    part: int
    keys: Sequence[Any]


class Reason(str):
    """Why a record is dropped, and fields that go with it into the file of dropped records."""

    def __new__(cls, text: str, **facts: Any) -> Reason:
        """`text` is what is counted; `facts` differ from record to record."""
        self = super().__new__(cls, text)
        self.facts = facts
        return self

    facts: dict[str, Any]


@runtime_checkable
class RememberingFilter(Protocol):
    """A filter whose answer depends on the rows before.

    What it needs of a record is its key, which is made wherever the record is at hand.
    """

    def key(self, record: Record) -> Any:
        """What of the record decides, and no more."""

    def answer(self, keys: Sequence[Any]) -> list[Reason | None]:
        """Why the records with these keys, which come next, are dropped, or None."""


class Gleaner(Protocol):
    """What decides when every record was seen, by what it gleans of each block of records."""

    def glean(self, records: Sequence[Record]) -> Any:
        """What of the records decides, and no more; made wherever the records are at hand."""

    def see(self, gleaned: Any) -> None:
        """Take in what was gleaned of the next records."""


class WholeFilter(Gleaner, Protocol):
    """A filter that decides once it has seen every record: its `whole` is true."""

    def reasons(self, rows: Spool) -> dict[int, Reason]:
        """Why records are dropped, by their number in `rows`."""


class Change(NamedTuple):
    """What one step made of one record; no records and a reason where a filter dropped it."""

    step: str
    before: Record
    after: list[Record]
    reason: str = ""


class Steps:
    """All transforms, then the filters of single records, then those of all: each as given."""

    def __init__(self, transform: Iterable[str] = (), filter: Iterable[str] = ()) -> None:
        self.transforms: dict[str, Transform] = {}
        for spec in transform:
            _, module, options = transforms.configure(spec)
            self.transforms[spec] = module.Transform(options)
        self.filters: dict[str, Filter | RememberingFilter] = {}
        self.whole: dict[str, WholeFilter] = {}
        for spec in filter:
            _, module, options = filters.configure(spec)
            made = module.Filter(options)
            kept: dict[str, Any] = self.whole if getattr(made, "whole", False) else self.filters
            kept[spec] = made

    def __bool__(self) -> bool:
        return bool(self.transforms or self.filters or self.whole)

    def transformed(
        self, record: Record, changes: Counter[str], worked: Counter[str]
    ) -> list[Record]:
        """What the transforms make of a record: itself or new ones.

        The kinds of change are counted, and in `worked` the steps that changed anything.
        """
        made = [record]
        for spec, transform in self.transforms.items():
            before = changes.total()
            made = [new for old in made for new in transform(old, changes)]
            worked[spec] += changes.total() > before
        return made

    def remembering(self) -> list[RememberingFilter]:
        """The filters that must be asked in the order of the rows, as `drops` numbers them."""
        return [kept for kept in self.filters.values() if isinstance(kept, RememberingFilter)]

    def drops(
        self, records: Mapping[int, Record], changed: Collection[int]
    ) -> Generator[Question, Any, dict[int, tuple[str, str]]]:
        """The step that drops a record and why, by the record's number.

        `changed` are those to be checked anew. Filters that remember are asked by questions.
        """
        found: dict[int, tuple[str, str]] = {}
        for number in changed:
            if broken := fault(records[number]):
                found[number] = "the transforms", f"{broken} after the transforms"
        asked = 0
        for spec, drops in self.filters.items():
            left = [number for number in records if number not in found]
            if isinstance(drops, RememberingFilter):
                asked += 1
                reasons = yield Question(asked, [drops.key(records[number]) for number in left])
            else:
                reasons = [drops(records[number]) for number in left]
            for number, reason in zip(left, reasons, strict=True):
                if reason:
                    found[number] = spec, reason
        return found

    def explained(self, record: Record) -> Iterator[Change]:
        """Each transform that changes a copy of the record, or what became of it."""
        made = [record]
        for spec, transform in self.transforms.items():
            new: list[Record] = []
            for old in made:
                after = transform(deepcopy(old), Counter())
                if after != [old]:
                    yield Change(spec, old, after)
                new += after
            made = new
