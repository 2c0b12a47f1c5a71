"""Transforms and filters as named on the command line, applied to each record and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple, Protocol

from instructune.filters import filters
from instructune.records import Record, fault
from instructune.spool import Spool
from instructune.transforms import transforms

Transform = Callable[[Record, "Counter[str]"], list[Record]]
Filter = Callable[[Record], str | None]


class Reason(str):
    """Why a record is dropped, and fields that go with it into the file of dropped records."""

    def __new__(cls, text: str, **facts: Any) -> Reason:
        """`text` is what is counted; `facts` differ from record to record."""
        self = super().__new__(cls, text)
        self.facts = facts
        return self

    facts: dict[str, Any]


class WholeFilter(Protocol):
    """A filter that decides once it has seen every record: its `whole` is true."""

    def see(self, record: Record) -> None:
        """Take in the next record."""

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
        self.filters: dict[str, Filter] = {}
        self.whole: dict[str, WholeFilter] = {}
        for spec in filter:
            _, module, options = filters.configure(spec)
            made = module.Filter(options)
            kept: dict[str, Any] = self.whole if getattr(made, "whole", False) else self.filters
            kept[spec] = made

    def __bool__(self) -> bool:
        return bool(self.transforms or self.filters or self.whole)

    def transformed(self, record: Record, changes: Counter[str]) -> list[Record]:
        """What the transforms make of a record: itself or new ones, the kinds of change counted."""
        made = [record]
        for transform in self.transforms.values():
            made = [new for old in made for new in transform(old, changes)]
        return made

    def reason(self, record: Record, *, changed: bool) -> str | None:
        """Why a record is dropped, or None: the first filter that says so."""
        if changed and (broken := fault(record)):
            return f"{broken} after the transforms"
        return next((reason for drops in self.filters.values() if (reason := drops(record))), None)

    def explained(self, record: Record) -> Iterator[Change]:
        """Each step that changed or dropped a copy of the record, or what became of it."""
        made = [record]
        for spec, transform in self.transforms.items():
            new: list[Record] = []
            for old in made:
                after = transform(deepcopy(old), Counter())
                if after != [old]:
                    yield Change(spec, old, after)
                new += after
            made = new
        for last in made:
            for spec, drops in self.filters.items():
                if reason := drops(last):
                    yield Change(spec, last, [], reason)
                    break
