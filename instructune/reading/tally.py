"""What became of each row: counts by cause that must add up, and the faults of bad rows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from instructune.errors import UserError
from instructune.jsonl import BadRow

_SHOWN = 10  # causes told
_PLACES = 3  # places told of each
_CAUSES = 200  # causes counted apart, which hostile rows could make without end
_COUNTERS = ("added", "rejected", "dropped", "changed", "formats", "notes")


@dataclass
class Tally:
    """Where each row went: `rows_in + added == out + rejected + dropped`, by cause.

    `changed` counts the records that each kind of change touched, `worked` those that each
    transform did, by its spec.
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
    worked: Counter[str] = field(default_factory=Counter)
    inputs: dict[str, str] = field(default_factory=dict)

    def merge(self, other: Tally) -> None:
        """Take in what became of other rows."""
        self.rows_in += other.rows_in
        self.out += other.out
        self.blank += other.blank
        for name in (*_COUNTERS, "worked"):
            if counts := getattr(other, name):
                getattr(self, name).update(counts)

    def check(self) -> None:
        """Refuse to report numbers that do not add up: that is a bug of ours."""
        left = self.rows_in + self.added.total()
        right = self.out + self.rejected.total() + self.dropped.total()
        if left != right:
            raise AssertionError(f"rows lost: {left} came in or were added, {right} accounted for")

    def as_dict(self) -> dict[str, Any]:
        """The report: the commonest causes first, empty ones left out."""
        report: dict[str, Any] = {"rows_in": self.rows_in, "out": self.out}
        for name in _COUNTERS:
            if counts := getattr(self, name):
                report[name] = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
        if self.blank:
            report["blank_lines"] = self.blank
        return report


class Faults:
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


def _cause(reason: str) -> str:
    """The reason without what differs from row to row, so that equal causes count together."""
    general = re.sub(r"(?:'[^']*'|\"[^\"]*\"|\(.*\)|: .*)+", "…", reason, flags=re.DOTALL)
    return re.sub(r"(?<![\w-])\d[\w.+-]*", "N", general)[:200].strip()
